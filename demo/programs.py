"""The three real programs, each a process of its own with a log of its own."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from demo.errors import ProgramDied

READY = re.compile(rb"^(?:ftbot|localslack|trainserver) ready(?: at (http\S+))?$", re.MULTILINE)
LOOK_SECONDS = 0.1
START_SECONDS = 90.0
STOP_SECONDS = 15.0
LOG_LINES = 15


@dataclass
class Program:
    """One running program; ``url`` is where it answers, as its ready line said."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    url: str = ""

    def last_lines(self) -> list[str]:
        """The end of its log."""
        return self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]


@dataclass
class Programs:
    """Starts and stops the programs of one workspace in ``folder``; ``options``: extra arguments by name."""

    folder: Path
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    options: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    running: dict[str, Program] = field(default_factory=dict[str, Program])
    bot_token: str = field(default_factory=lambda: f"xoxb-local-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-local-{secrets.token_hex(12)}")
    api_key: str = field(default_factory=lambda: f"sk-local-{secrets.token_hex(12)}")

    async def start_localslack(self) -> Program:
        """The workspace; its tokens are made for this run."""
        tokens = {"LOCALSLACK_BOT_TOKEN": self.bot_token, "LOCALSLACK_APP_TOKEN": self.app_token}
        return await self._start("localslack", ["localslack", "--port", "0"], tokens)

    async def start_trainserver(self) -> Program:
        """The fine-tuning server; its key is made for this run."""
        key = {"FTBOT_TRAINSERVER_API_KEY": self.api_key}
        return await self._start("trainserver", ["trainserver", "--port", "0"], key)

    async def start_bot(self) -> Program:
        """The bot: only the addresses, the tokens and the place of its data are set."""
        settings = {
            "SLACK_API_URL": self.running["localslack"].url + "/api/",
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
            "OPENAI_BASE_URL": self.running["trainserver"].url,
            "OPENAI_API_KEY": self.api_key,
            "FTBOT_DATA": str(self.folder / "bot"),
        }
        return await self._start("bot", ["bot", "run"], settings, own_data=True)

    async def _start(
        self, name: str, command: list[str], extra: dict[str, str], *, own_data: bool = False
    ) -> Program:
        data = self.folder / name
        data.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{name}.log"
        arguments = command if own_data else [*command, "--data", str(data), *self.options.get(name, [])]
        with log.open("ab") as sink:
            begins = sink.tell()
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *arguments,
                env={**self.env, **extra, "PYTHONUNBUFFERED": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        program = Program(name, process, log)
        self.running[name] = program
        program.url = await self._ready(program, begins)
        return program

    async def _ready(self, program: Program, begins: int) -> str:
        """Waits for the ready line in the log after ``begins`` bytes; answers the address in it."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if found := READY.search(program.log.read_bytes()[begins:]):
                return found[1].decode() if found[1] else ""
            if program.process.returncode is not None:
                raise ProgramDied(f"{program.name} ended before it was ready.", program.name)
            await asyncio.sleep(LOOK_SECONDS)
        raise ProgramDied(f"{program.name} was not ready within {START_SECONDS:.0f} s.", program.name)

    def check(self) -> None:
        """Looks whether all are alive.

        Raises:
            ProgramDied: one ended.
        """
        for program in self.running.values():
            if program.process.returncode is not None:
                raise ProgramDied(
                    f"{program.name} ended with exit code {program.process.returncode}.", program.name
                )

    async def stop(self) -> None:
        """Stops all, the bot first, politely and then for good."""
        for program in reversed(list(self.running.values())):
            await _stop(program.process)
        self.running.clear()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

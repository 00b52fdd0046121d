"""A workspace inside the bench's process, the bot as a process of its own beside it, and a provider."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from localslack.app import Options, running
from localslack.world import World
from tests.support.provider import FakeProvider, serving

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Place:
    """What a part of the bench works with; ``data`` is the bot's folder."""

    world: World
    provider: FakeProvider
    data: Path
    metrics: str

    def channel(self, name: str = "tuning") -> str:
        return next(one.id for one in self.world.store.channels() if one.name == name)

    def person(self, name: str = "jin") -> str:
        return next(one.id for one in self.world.users if one.name == name)

    async def figures(self) -> dict[str, float]:
        """The bot's own figures by name and labels."""
        async with aiohttp.ClientSession() as session, session.get(self.metrics) as answer:
            text = await answer.text()
        return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.M)}

    async def memory(self) -> float:
        """MB that the bot holds in memory."""
        return (await self.figures())["process_resident_memory_bytes"] / 1e6


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def place(
    folder: Path, before: Callable[[Path, FakeProvider], Any] | None = None
) -> AsyncGenerator[Place]:
    """Starts all; ``before`` may fill the bot's folder first."""
    options = Options(data=folder / "slack", manifest=ROOT / "manifest.yml")
    data, port = folder / "bot", free_port()
    data.mkdir()
    async with running(options) as world, serving(FakeProvider()) as provider:
        if before is not None:
            await before(data, provider)
        env = {
            **os.environ,
            "SLACK_API_URL": f"{world.base_url}/api/",
            "SLACK_BOT_TOKEN": world.me.bot_token,
            "SLACK_APP_TOKEN": world.me.app_token,
            "OPENAI_BASE_URL": provider.base_url,
            "OPENAI_API_KEY": "sk-bench",
            "FTBOT_DATA": str(data),
            "FTBOT_HEALTH_PORT": str(port),
            "FTBOT_LOG_LEVEL": os.environ.get("FTBOT_LOG_LEVEL", "error"),
        }
        with (folder / "bot.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "run",
                cwd=ROOT,
                env=env,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        try:
            assert process.stdout is not None
            if b"ready" not in await process.stdout.readline():
                raise RuntimeError((folder / "bot.log").read_text()[-2_000:])
            yield Place(world, provider, data, f"http://127.0.0.1:{port}/metrics")
        finally:
            process.terminate()
            await process.wait()

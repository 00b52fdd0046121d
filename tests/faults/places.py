"""The real bot in a real workspace beside a provider that does what a test tells it to."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.person import Person, words
from demo.programs import Program, Programs
from handlers.posting import notices_in
from tests.support.provider import FakeProvider, serving
from tests.support.workspace import Workspace, well_formed
from tuning.jobs.figures import worth_a_notice

Json = dict[str, Any]


@dataclass
class Played(Programs):
    """The programs with a provider of the test's own; ``more`` are further settings of the bot."""

    provider_url: str = ""
    more: dict[str, str] = field(default_factory=dict[str, str])

    def settings(self) -> dict[str, str]:
        """What the bot's environment sets."""
        return {
            "SLACK_API_URL": self.running["localslack"].url + "/api/",
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
            "OPENAI_BASE_URL": self.provider_url,
            "OPENAI_API_KEY": self.api_key,
            "FTBOT_DATA": str(self.folder / "bot"),
            **self.more,
        }

    async def start_bot(self) -> Program:
        return await self._start("bot", ["bot", "run"], self.settings(), own_data=True)

    async def ftbot(self, *arguments: str) -> tuple[int, str]:
        """Another command of ftbot beside the bot; its exit code and what it said."""
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "bot", *arguments]
        env = {**self.env, **self.settings()}
        process = await asyncio.create_subprocess_exec(
            *command, env=env, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()


@dataclass
class FaultyPlace(Workspace):
    """A workspace whose provider is a test's."""

    provider: FakeProvider = field(default_factory=FakeProvider)

    async def ftbot(self, *arguments: str) -> tuple[int, str]:
        """Runs another command of ftbot with the bot's settings; its exit code and what it said."""
        assert isinstance(self.programs, Played)
        return await self.programs.ftbot(*arguments)

    async def created(self, count: int) -> None:
        """Waits until the provider has this many jobs."""

        async def there() -> bool:
            return len(self.provider.jobs) >= count

        await self.jin.wait(f"{count} jobs at the provider", there, 60)


@asynccontextmanager
async def faulty_place(folder: Path, **more: str) -> AsyncGenerator[FaultyPlace]:
    """Starts all; ``more`` are further settings of the bot."""
    env = {**os.environ, "FTBOT_POLL_SECONDS": "0.2"}
    async with serving(FakeProvider()) as provider:
        programs = Played(folder, env, provider_url=provider.base_url, more=more)
        try:
            slack = await programs.start_localslack()
            await programs.start_bot()
            people = [Person(slack.url, name, programs.check) for name in ("jin", "mina")]
            try:
                yield FaultyPlace(programs, people[0], people[1], provider=provider)
                await well_formed(people[0])
            finally:
                for person in people:
                    await person.close()
        finally:
            await programs.stop()


async def train(
    provider: FakeProvider, job: Json, *, epochs: int = 3, steps: int = 4, pause: float = 0.25
) -> None:
    """The life of one job at the provider, from its queue to its model."""
    name, total = str(job["id"]), epochs * steps
    job["hyperparameters"] = {"n_epochs": epochs}
    for status, message in (("queued", "Files validated"), ("running", "Fine-tuning job started")):
        await asyncio.sleep(pause)
        job["status"] = status
        provider.event(name, message)
    for step in range(1, total + 1):
        await asyncio.sleep(pause / 2)
        figures = {"full_valid_loss": 2.0 / step} if step % steps == 0 else {}
        provider.step(name, step, total, 3.0 / step, **figures)
        if step % steps == 0:
            provider.checkpoint(name, step, f"ft:{name}:ckpt-{step}", train_loss=3.0 / step)
            provider.event(name, f"Checkpoint created at step {step}")
    await asyncio.sleep(pause)
    job |= {"status": "succeeded", "fine_tuned_model": f"ft:{name}", "trained_tokens": 1_000}
    job["finished_at"] = int(provider.clock)
    provider.event(name, "The job has successfully completed")


async def told_truly(place: Workspace, channel: str, name: str, theirs: Json) -> None:
    """Holds a job's thread against the trainer's truth.

    One card, and under it every epoch once and in order with one picture a message, then the end.
    """
    assert theirs["status"] == "succeeded", theirs
    card = await place.root(channel, name)
    await place.finished(channel, card)
    cards = [m for m in await place.jin.messages(channel) if "bot_id" in m and name in words(m)]
    assert len(cards) == 1
    posted = await place.posted(channel, str(card["ts"]))
    told = [one.split(":") for message in posted for one in notices_in(message)]
    said = [f"{kind} {rest[0]}" if kind == "job_epoch" else kind for kind, _, *rest in told]
    count = int(theirs["hyperparameters"]["n_epochs"])
    epochs = [f"job_epoch {number}" for number in range(1, count + 1) if worth_a_notice(number, count)]
    assert said == [*epochs, "job_safety", "job_finished"], name
    for message in posted:
        pictures = [block for block in message["blocks"] if block["type"] == "image"]
        wanted = any(one.startswith("job_epoch") for one in notices_in(message))
        assert len(pictures) == wanted, name

"""The whole bot inside the test process, so that a test can turn its clocks and look at what it holds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.app import Bot
from bot.settings import Settings
from localslack.app import Options, running
from localslack.world import World
from storage.store import Store
from tests.support.provider import FakeProvider, serving
from tests.support.surfaces import ROOT, Person
from tests.support.waiting import until


@dataclass
class Inside:
    """A running bot with its workspace and its provider."""

    bot: Bot
    world: World
    provider: FakeProvider
    jin: Person
    health: str
    web: aiohttp.ClientSession
    store: Store
    working: asyncio.Task[None]

    def channel(self, name: str = "tuning") -> str:
        return next(c.id for c in self.world.store.channels() if c.name == name)

    async def control(self, **orders: Any) -> dict[str, Any]:
        answer = await self.jin.ask("POST", "/control", orders)
        assert answer["ok"], answer
        return answer

    async def get(self, path: str) -> tuple[int, str]:
        """An answer of the bot's own address."""
        async with self.web.get(f"{self.health}{path}") as answer:
            return answer.status, await answer.text()

    async def figure(self, name: str) -> float:
        """One figure of ``/metrics``; 0 while it was never counted."""
        _, text = await self.get("/metrics")
        found = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(found[0].split()[-1]) if found else 0.0

    async def said(self, channel: str, contains: str, thread: str | None = None) -> dict[str, Any]:
        """Waits for a message of the bot that holds these words."""

        async def look() -> dict[str, Any] | None:
            found = await (self.jin.thread(channel, thread) if thread else self.jin.messages(channel))
            return next((m for m in found if "bot_id" in m and contains in str(m)), None)

        return await until(look, 60.0)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def bot_inside(folder: Path, *, http: bool = False, **more: Any) -> AsyncGenerator[Inside]:
    """Starts all; ``more`` are further settings of the bot, by their field names.

    ``http``: Slack calls the bot, and no socket is opened.
    """
    port = free_port()
    request_url = f"http://127.0.0.1:{port}/slack/events" if http else None
    options = Options(data=folder / "slack", manifest=ROOT / "manifest.yml", http=request_url)
    async with (
        running(options) as world,
        serving(FakeProvider()) as provider,
        aiohttp.ClientSession() as web,
    ):
        given: dict[str, Any] = {
            "slack_bot_token": world.me.bot_token,
            "slack_app_token": None if http else world.me.app_token,
            "slack_signing_secret": world.me.signing_secret if http else None,
            "slack_api_url": f"{world.base_url}/api/",
            "openai_api_key": "sk-test",
            "openai_base_url": provider.base_url,
            "ftbot_data": folder / "bot",
            "ftbot_providers": folder / "none.toml",
            "ftbot_health_port": port,
            "ftbot_poll_seconds": 0.2,
        }
        bot = Bot(Settings.model_validate(given | more))
        await bot.start()
        working = asyncio.create_task(bot.run())
        try:
            await bot.connected.wait()
            jin = Person(web, world.base_url, "jin")
            yield Inside(bot, world, provider, jin, f"http://127.0.0.1:{port}", web, bot.store, working)
        finally:
            bot.stop.set()
            await asyncio.gather(working, return_exceptions=True)
            await bot.close()

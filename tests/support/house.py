"""The parts of a running ftbot for tests of its handlers, and small stand-ins for some of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.house import House
from localslack.world import World
from storage.records import Dataset, Overlap
from storage.store import Store
from tests.support.payloads import hold
from tests.support.samples import COST, NOW, TRAINER


class PlayedSlack:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refuse: dict[str, str] = {}

    def __getattr__(self, method: str) -> Any:
        async def call(**arguments: Any) -> dict[str, Any]:
            hold(method, arguments)
            self.calls.append((method, arguments))
            if error := self.refuse.get(method):
                raise SlackApiError(error, cast(Any, {"error": error}))
            return {"ok": True, "ts": "1.5", "view": {"id": "V1"}}

        return call

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == method]


class PlayedProviders:
    """One provider that always answers with the same profile."""

    names = ("trainer",)

    def get(self, name: str) -> Any:
        async def profile() -> Any:
            return TRAINER

        return SimpleNamespace(name=name, profile=profile, last_profile=TRAINER)


class PlayedPrices:
    """Every dataset costs the same."""

    async def prices(self, *_: Any) -> Any:
        return COST

    async def overlap(self, training: Dataset, validation: Dataset) -> Overlap:
        return Overlap(str(training.sha256), str(validation.sha256), 0, 0)


def a_house(store: Store, folder: Path, **parts: Any) -> House:
    """A house over ``store``; Slack, prices and providers are played unless ``parts`` names others."""
    values: dict[str, Any] = {
        "store": store,
        "engine": None,
        "intake": PlayedPrices(),
        "chat": None,
        "providers": PlayedProviders(),
        "client": PlayedSlack(),
        "clock": lambda: NOW,
        "command": "/ft",
        "bot_user_id": "U0BOT",
        "team_id": "T1",
        "spool": folder / "spool",
        "file_hosts": frozenset(),
        "max_file_bytes": 1_000_000,
        "bot_token": "xoxb-1",
    }
    return House(**(values | parts))


def house_in(world: World, session: aiohttp.ClientSession, store: Store, folder: Path, **parts: Any) -> House:
    """A house that talks to a workspace on this machine."""
    client = AsyncWebClient(
        token=world.me.bot_token, base_url=f"{world.base_url}/api/", session=session, retry_handlers=[]
    )
    ours = {
        "client": client,
        "bot_user_id": world.me.bot_user_id,
        "team_id": world.me.team_id,
        "file_hosts": frozenset({world.base_url.removeprefix("http://")}),
        "bot_token": world.me.bot_token,
    }
    return a_house(store, folder, **(ours | parts))

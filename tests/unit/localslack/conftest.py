"""A workspace on a free port, a person, a Web API client and a real Bolt app in Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from localslack.app import Options, running
from localslack.world import World
from tests.support.waiting import until

SCOPES = [
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "users:read",
]
EVENTS = [
    "app_home_opened",
    "app_mention",
    "file_shared",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
]


def manifest(scopes: list[str] = SCOPES, events: list[str] = EVENTS) -> dict[str, Any]:
    return {
        "display_information": {"name": "ftbot"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
            "bot_user": {"display_name": "ftbot"},
            "slash_commands": [{"command": "/ft", "description": "Fine-tune", "should_escape": True}],
            "shortcuts": [
                {"name": "Use as data", "type": "message", "callback_id": "use", "description": "d"},
                {"name": "Start", "type": "global", "callback_id": "start", "description": "d"},
            ],
        },
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {
            "event_subscriptions": {"bot_events": events},
            "interactivity": {"is_enabled": True},
            "socket_mode_enabled": True,
        },
    }


class Person:
    """Somebody at the page: ``/ui`` over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, base: str, name: str = "jin") -> None:
        self._session, self.base, self.name = session, base, name

    async def ask(self, verb: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        headers = {"X-Localslack-User": self.name}
        if isinstance(body, aiohttp.FormData):
            more["data"] = body
        elif body is not None:
            more["json"] = body
        async with self._session.request(verb, f"{self.base}/ui{path}", headers=headers, **more) as response:
            answer: dict[str, Any] = await response.json()
            assert answer["ok"] == (response.status == 200), answer
            return answer

    async def get(self, path: str) -> dict[str, Any]:
        return await self.ask("GET", path)

    async def post(self, path: str, body: Any = None) -> dict[str, Any]:
        return await self.ask("POST", path, body if body is not None else {})

    async def say(self, channel: str, text: str, thread_ts: str | None = None) -> dict[str, Any]:
        answer = await self.post(f"/channels/{channel}/messages", {"text": text, "thread_ts": thread_ts})
        return answer["message"]

    async def drop(self, channel: str, name: str, content: bytes, **fields: str) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        for key, value in fields.items():
            form.add_field(key, value)
        return await self.ask("POST", f"/channels/{channel}/files", form)

    async def calls(self, method: str | None = None) -> list[dict[str, Any]]:
        found = (await self.post("/control", {"calls": True}))["calls"]
        return [call for call in found if method in (None, call["method"])]

    async def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        found = (await self.post("/control", {"events": True}))["events"]
        return [payload for payload in found if kind in (None, payload["event"]["type"])]


class Workspace:
    """A running workspace and the ways to use it."""

    def __init__(self, world: World, session: aiohttp.ClientSession) -> None:
        self.world = world
        self.session = session
        self.jin = Person(session, world.base_url)
        self.mina = Person(session, world.base_url, "mina")
        self.client: Any = self.client_with(world.me.bot_token)

    def client_with(self, token: str) -> AsyncWebClient:
        return AsyncWebClient(token=token, base_url=f"{self.world.base_url}/api/", session=self.session)

    def channel(self, name: str) -> str:
        return next(c.id for c in self.world.store.channels() if c.name == name)

    def user(self, name: str) -> str:
        return next(u.id for u in self.world.users if u.name == name)

    @asynccontextmanager
    async def app(self, *setups: Callable[[AsyncApp], None]) -> AsyncGenerator[AsyncApp]:
        """A Bolt app that listens in Socket Mode."""
        app = AsyncApp(client=self.client)
        for setup in setups:
            setup(app)
        handler = AsyncSocketModeHandler(app, self.world.me.app_token, web_client=self.client)
        await handler.connect_async()
        await until(lambda: bool(self.world.delivery.wires))
        try:
            yield app
        finally:
            await handler.close_async()


@asynccontextmanager
async def workspace(folder: Path, **changes: Any) -> AsyncGenerator[Workspace]:
    path = folder / "manifest.yml"
    path.write_text(yaml.safe_dump(manifest(**changes)))
    async with (
        running(Options(data=folder / "data", manifest=path)) as world,
        aiohttp.ClientSession() as session,
    ):
        yield Workspace(world, session)


@pytest.fixture
async def ws(tmp_path: Path) -> AsyncGenerator[Workspace]:
    async with workspace(tmp_path) as found:
        yield found

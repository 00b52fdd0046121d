"""A bare client of localslack: the Web API as the bot, `/ui` as a person, Socket Mode as the app."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any, Self

import httpx2
from websockets.sync.client import connect

Json = dict[str, Any]
EVERY_SCOPE = [
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
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "team:read",
    "users:read",
]


class Slack:
    """Answers come back as parsed JSON, good or bad."""

    def __init__(self, url: str, bot_token: str, app_token: str) -> None:
        self.url = url
        self.app_token = app_token
        self.bot_token = bot_token
        self.http = httpx2.Client(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def api(self, method: str, *, token: str | None = None, **arguments: Any) -> Json:
        """One call of the Web API with a JSON body."""
        headers = {"Authorization": f"Bearer {token or self.bot_token}"}
        answer = self.http.post(f"{self.url}/api/{method}", json=arguments, headers=headers)
        return answer.json()

    def ui(self, verb: str, path: str, *, person: str = "jin", **body: Any) -> Json:
        """What a person does."""
        headers = {"X-Localslack-User": person}
        return self.http.request(verb, f"{self.url}/ui/{path}", json=body or None, headers=headers).json()

    def channel(self, name: str) -> str:
        """The id of a channel that jin sees."""
        return next(c["id"] for c in self.ui("GET", "state")["channels"] if c["name"] == name)

    def envelope_of(self, act: str, **body: Any) -> Json:
        """The Socket Mode envelope that a person's POST to `/ui/{act}` causes, acknowledged."""
        url = self.api("apps.connections.open", token=self.app_token)["url"]
        with connect(url) as socket:
            assert json.loads(socket.recv(30))["type"] == "hello"
            person = Thread(target=self.ui, args=("POST", act), kwargs=body)
            person.start()
            envelope = json.loads(socket.recv(30))
            socket.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
            person.join(30)
        return envelope

"""A client that goes away ends its answer at once, whatever it was waiting for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainserver.inprocess import inside
from trainserver.api.app import create_app
from trainserver.serving import Done, Text

DEADLINE = 30
CHAT: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "x"}]}


@dataclass
class Endless:
    """Answers that begin and never end; `going` are those that nobody has ended."""

    says: list[str]
    going: int = 0
    begun: asyncio.Queue[None] = field(default_factory=asyncio.Queue[None])

    @asynccontextmanager
    async def answer(self, *_args: Any) -> AsyncGenerator[AsyncIterator[Text | Done]]:
        async def pieces() -> AsyncIterator[Text | Done]:
            for text in self.says:
                yield Text(text)
            self.begun.put_nowait(None)
            await asyncio.Event().wait()

        self.going += 1
        try:
            yield pieces()
        finally:
            self.going -= 1


@pytest.mark.parametrize("says", [[], ["It ", "is"]])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {**CHAT, "stream": True}),
        ("/v1/chat/completions", {**CHAT, "n": 3}),
        ("/v1/chat/completions", {**CHAT, "n": 3, "stream": True}),
        ("/v1/responses", {"model": "tiny", "input": "x"}),
        ("/v1/responses", {"model": "tiny", "input": "x", "stream": True}),
    ],
)
async def test_who_leaves_ends_the_answer(
    tmp_path: Path, config: Path, path: str, body: dict[str, Any], says: list[str]
):
    serving = Endless(says)
    app: Any = create_app(replace(inside(tmp_path / "data", config).state, serving=serving))
    left = asyncio.Event()
    coming = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        return

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    call = asyncio.create_task(app(scope, receive, send))
    for _ in range(body.get("n") or 1):
        await asyncio.wait_for(serving.begun.get(), DEADLINE)
    assert serving.going
    left.set()
    await asyncio.wait_for(call, DEADLINE)
    assert serving.going == 0

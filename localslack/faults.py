"""Faults on order: answers that come late, break or get lost, for tests of what an app does then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

PLACES = ("upload", "download", "response_url")
"""What else than Web API methods may fail: the upload address, the download address, response_urls."""


@dataclass
class Delay:
    """The next ``times`` calls of ``method`` are answered ``seconds`` later; the work is done ``when``."""

    method: str
    seconds: float
    times: int = 1
    when: Literal["before", "after"] = "after"


@dataclass
class Failure:
    """The next ``times`` calls of ``method`` get a broken answer.

    ``status``: an HTTP error; ``error``: ``{"ok": false, "error": …}``; ``cut``: the connection is closed in
    the middle of the answer. With ``effect`` the work is done and only its answer is lost.
    """

    method: str
    times: int = 1
    status: int = 500
    error: str | None = None
    cut: bool = False
    effect: bool = True

    def answer(self, real: Response | None) -> Response:
        if self.cut:
            return _Cut(real)
        if self.error is not None:
            return JSONResponse({"ok": False, "error": self.error})
        return PlainTextResponse("upstream request failed", status_code=self.status)


Order = TypeVar("Order", Delay, Failure)


class Faults:
    """The orders that are open. A method ``*`` matches every Web API method."""

    def __init__(self) -> None:
        self.delays: list[Delay] = []
        self.failures: list[Failure] = []

    def clear(self) -> None:
        self.delays.clear()
        self.failures.clear()

    async def around(self, name: str, work: Callable[[], Awaitable[Response]]) -> Response:
        """Do the work, with the next delay and the next failure ordered for ``name``."""
        delay, failure = _take(self.delays, name), _take(self.failures, name)
        if delay is not None and delay.when == "before":
            await asyncio.sleep(delay.seconds)
        if failure is not None and not failure.effect:
            return failure.answer(None)
        response = await work()
        if delay is not None and delay.when == "after":
            await asyncio.sleep(delay.seconds)
        return response if failure is None else failure.answer(response)


def _take(orders: list[Order], name: str) -> Order | None:
    for order in orders:
        if order.method == name or (order.method == "*" and name not in PLACES):
            order.times -= 1
            if order.times <= 0:
                orders.remove(order)
            return order
    return None


class _Cut(Response):
    """The first half of an answer whose length says more; the server closes the connection then."""

    def __init__(self, real: Response | None) -> None:
        super().__init__()
        content = bytes(real.body) if real is not None and hasattr(real, "body") else b""
        if isinstance(real, FileResponse):
            content = Path(real.path).read_bytes()
        self._content = content or b"{}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = str(len(self._content) + 1).encode()
        headers = [(b"content-length", length), (b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        half = self._content[: len(self._content) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})

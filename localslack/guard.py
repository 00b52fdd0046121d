"""Keep other web pages away: the Host must be this machine, and a page of another origin may not write."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SAFE = {"GET", "HEAD"}


class LoopbackOnly:
    """ASGI middleware. 403 for a foreign Host, and for writes and WebSockets from a foreign Origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (words := _objection(scope)):
            await PlainTextResponse(words, status_code=403)(scope, receive, send)
            return
        if scope["type"] == "websocket" and _objection(scope):
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await self._app(scope, receive, send)


def _objection(scope: Scope) -> str | None:
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    host = headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in LOOPBACK:
        return "localslack answers on this machine only; the Host header names another one."
    origin = headers.get("origin")
    writes = scope["type"] == "websocket" or scope.get("method") not in _SAFE
    if origin and writes and urlsplit(origin).netloc != host:
        return "Requests from other web pages are refused."
    return None

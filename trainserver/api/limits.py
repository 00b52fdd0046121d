"""Requests that are too large are refused unread, and cut off where they do not say their size."""

from __future__ import annotations

import json
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MB = 1024**2
FILE_BYTES = 512 * MB
PART_BYTES = 64 * MB
UPLOAD_BYTES = 8 * 1024 * MB
JSON_BYTES = 64 * MB
# What a form adds to the file in it.
FRAME = MB
PART = re.compile(r"/v1/uploads/[^/]+/parts")


class TooLarge(Exception):
    """The body went on beyond its limit; whoever parses it answers with 400."""


def limit(path: str) -> int:
    """How many bytes a request to `path` may have."""
    if path == "/v1/files":
        return FILE_BYTES + FRAME
    return PART_BYTES + FRAME if PART.fullmatch(path) else JSON_BYTES


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        most = limit(scope["path"])
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > most:
            return await _refuse(send, most)
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise TooLarge(f"the request has more than {most} bytes")
            return message

        await self.app(scope, counted, send)


async def _refuse(send: Send, most: int) -> None:
    message = f"The request is larger than the {most // MB} MB that are taken here."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "request_too_large"}
    body = json.dumps({"error": error}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})

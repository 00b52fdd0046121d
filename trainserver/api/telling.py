"""How chat completions and responses are told: whole or as a stream, and to nobody once the client left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Protocol, TypeVar

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from trainserver.api.asking import Json
from trainserver.errors import ApiError, ServingFailed

CLIENT_GONE = 499
T = TypeVar("T")


class ServerError(ApiError):
    """The model could not answer."""

    status = 503


class Answer(Protocol[T]):
    """An answer to one call; it comes in pieces of any kind."""

    async def whole(self) -> Json:
        """All of it as one object."""
        ...

    def pieces(self) -> AsyncGenerator[T]:
        """Its pieces as they are made."""
        ...

    def streamed(self, coming: AsyncGenerator[T], first: T) -> AsyncGenerator[str]:
        """Its server-sent events, from the first piece on."""
        ...


async def told(request: Request, answer: Answer[T], *, stream: bool | None) -> Response | Json:
    """The answer as one object, or as a stream.

    The first piece is awaited here, so that what goes wrong before it still gets a status of its own.
    Raises `ServerError` when the model cannot answer.
    """
    if not stream:
        return await _unless_gone(request, answer.whole()) or Response(status_code=CLIENT_GONE)
    coming = answer.pieces()
    first = await _unless_gone(request, coming.asend(None))
    if first is None:
        await coming.aclose()
        return Response(status_code=CLIENT_GONE)
    return StreamingResponse(answer.streamed(coming, first), media_type="text/event-stream")


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, which is given up (None) when the client leaves first."""
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    except ServingFailed as error:
        raise ServerError(str(error), code="model_unavailable") from error
    finally:
        watching.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


def event(value: Json, name: str | None = None) -> str:
    """One server-sent event."""
    head = "" if name is None else f"event: {name}\n"
    return f"{head}data: {json.dumps(value)}\n\n"

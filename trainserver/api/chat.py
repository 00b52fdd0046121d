"""/v1/chat/completions, plain and streamed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from trainserver import models
from trainserver.api.models import missing
from trainserver.api.state import Parts
from trainserver.errors import ApiError, BadRequest, ServingFailed
from trainserver.ids import new_id
from trainserver.rows import BadMessage, Message, read_message
from trainserver.sampling import Sampling
from trainserver.serving import Done, Text

router = APIRouter(prefix="/v1/chat/completions")
UNSUPPORTED = ("tools", "functions", "logprobs", "audio", "prediction", "web_search_options")
LOOK_SECONDS = 0.25
CLIENT_GONE = 499
T = TypeVar("T")


class StreamOptions(BaseModel):
    include_usage: bool = False


class Ask(BaseModel):
    """The body of a chat call. Fields that only tune OpenAI's own service are accepted and have no effect."""

    model: str
    messages: Annotated[list[dict[str, Any]], Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: dict[str, Any] | None = None

    model_config = {"extra": "allow"}


def _check(body: Ask) -> None:
    for name in UNSUPPORTED:
        if (body.model_extra or {}).get(name):
            raise BadRequest(
                f"'{name}' is not supported by this server.", param=name, code="unsupported_parameter"
            )
    if body.n not in (None, 1):
        raise BadRequest("Only one choice an answer is supported ('n' must be 1).", param="n")
    if (body.response_format or {}).get("type", "text") != "text":
        raise BadRequest("Only the response format 'text' is supported.", param="response_format")


def _messages(body: Ask) -> list[Message]:
    messages: list[Message] = []
    for i, value in enumerate(body.messages):
        try:
            messages.append(read_message(value))
        except BadMessage as error:
            raise BadRequest(f"Invalid value for messages[{i}]: {error}.", param=f"messages.[{i}]") from error
    return messages


def _model(parts: Parts, name: str) -> tuple[str, Path | None]:
    """The base and the adapter behind a name. Raises `NotFound`."""
    if name in parts.config.bases:
        return name, None
    with parts.database.read() as connection:
        model = models.find(connection, name)
    if model is None or model.base not in parts.config.bases:
        raise missing(name)
    return model.base, parts.layout.root / model.folder


def _sampling(parts: Parts, body: Ask) -> Sampling:
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    return Sampling(
        max_tokens=body.max_completion_tokens or body.max_tokens or parts.config.max_answer_tokens,
        temperature=1.0 if body.temperature is None else body.temperature,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=body.seed,
        stop=tuple(one for one in stop if one),
    )


def _usage(done: Done) -> dict[str, int]:
    return {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
    }


class Answer:
    """One answer on its way to the client."""

    def __init__(self, parts: Parts, body: Ask) -> None:
        _check(body)
        self.body = body
        self.serving = parts.serving
        self.base, self.adapter = _model(parts, body.model)
        self.messages = _messages(body)
        self.sampling = _sampling(parts, body)
        self.head: dict[str, Any] = {
            "id": new_id("chatcmpl"),
            "created": int(time.time()),
            "model": body.model,
        }

    async def pieces(self) -> AsyncGenerator[Text | Done]:
        async with self.serving.answer(self.base, self.adapter, self.messages, self.sampling) as pieces:
            async for piece in pieces:
                yield piece

    async def whole(self) -> dict[str, Any]:
        """The answer as one object."""
        text: list[str] = []
        done = Done("stop", 0, 0)
        async for piece in self.pieces():
            if isinstance(piece, Text):
                text.append(piece.text)
            else:
                done = piece
        message = {"role": "assistant", "content": "".join(text), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": done.finish_reason}
        return {**self.head, "object": "chat.completion", "choices": [choice], "usage": _usage(done)}

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> str:
        return _event({**self.head, "object": "chat.completion.chunk", "choices": choices, **more})

    def _delta(self, delta: dict[str, str], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._chunk([choice], **({"usage": None} if self._wants_usage else {}))

    @property
    def _wants_usage(self) -> bool:
        return self.body.stream_options is not None and self.body.stream_options.include_usage

    async def streamed(self, pieces: AsyncGenerator[Text | Done], first: Text | Done) -> AsyncGenerator[str]:
        """Server-sent events: the role, the text in pieces, the end, the usage if asked for, `[DONE]`."""
        yield self._delta({"role": "assistant", "content": ""})
        try:
            piece: Text | Done = first
            while isinstance(piece, Text):
                yield self._delta({"content": piece.text})
                piece = await anext(pieces)
            yield self._delta({}, piece.finish_reason)
            if self._wants_usage:
                yield self._chunk([], usage=_usage(piece))
        except ServingFailed as error:
            yield _event(
                {"error": {"message": str(error), "type": "server_error", "param": None, "code": None}}
            )
            return
        finally:
            await pieces.aclose()
        yield "data: [DONE]\n\n"


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


async def _gone(request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(LOOK_SECONDS)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, which is given up (None) when the client leaves first."""
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        watching.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


class ServerError(ApiError):
    """The model could not answer."""

    status = 503


@router.post("", response_model=None)
async def create(parts: Parts, request: Request, body: Ask) -> Response | dict[str, Any]:
    answer = Answer(parts, body)
    try:
        if not body.stream:
            return await _unless_gone(request, answer.whole()) or Response(status_code=CLIENT_GONE)
        # The first piece is awaited here, so that what goes wrong before it still gets a status of its own.
        pieces = answer.pieces()
        first = await _unless_gone(request, pieces.asend(None))
    except ServingFailed as error:
        raise ServerError(str(error), code="model_unavailable") from error
    if first is None:
        return Response(status_code=CLIENT_GONE)
    return StreamingResponse(answer.streamed(pieces, first), media_type="text/event-stream")

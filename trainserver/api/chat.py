"""/v1/chat/completions, plain and streamed."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from trainserver.api.asking import CLIENT_GONE, Json, Splitter, event, pieces, unless_gone
from trainserver.api.chat_body import Ask, question
from trainserver.api.state import Parts, State, Who
from trainserver.errors import ServingFailed
from trainserver.ids import new_id
from trainserver.serving import Done, Text

router = APIRouter(prefix="/v1/chat/completions")


def _usage(done: Done) -> dict[str, int]:
    return {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
    }


class Answer:
    """One answer on its way to the client."""

    def __init__(self, parts: State, project: str, body: Ask) -> None:
        self.body = body
        self.parts = parts
        self.question = question(parts, project, body)
        self.splitter = Splitter(calls=bool(self.question.tools), only_one=body.parallel_tool_calls is False)
        self.head: Json = {"id": new_id("chatcmpl"), "created": int(time.time()), "model": body.model}

    def pieces(self) -> AsyncGenerator[Text | Done]:
        return pieces(self.parts, self.question)

    def _logprobs(self, tokens: list[Json]) -> Json | None:
        return {"content": tokens, "refusal": None} if self.body.logprobs else None

    async def whole(self) -> Json:
        """The answer as one object."""
        done, tokens = Done("stop", 0, 0), list[Json]()
        async for piece in self.pieces():
            if isinstance(piece, Text):
                self.splitter.feed(piece.text)
                tokens += piece.logprobs
            else:
                done = piece
        calls = self.splitter.end()[1]
        message: Json = {"role": "assistant", "content": self.splitter.told, "refusal": None}
        if calls:
            message |= {"content": self.splitter.told or None, "tool_calls": calls}
        choice = {
            "index": 0,
            "message": message,
            "logprobs": self._logprobs(tokens),
            "finish_reason": "tool_calls" if calls else done.finish_reason,
        }
        return {**self.head, "object": "chat.completion", "choices": [choice], "usage": _usage(done)}

    def _chunk(self, choices: list[Json], **more: Any) -> str:
        return event({**self.head, "object": "chat.completion.chunk", "choices": choices, **more})

    def _delta(self, delta: Json, finish_reason: str | None = None, tokens: list[Json] | None = None) -> str:
        logprobs = None if tokens is None else self._logprobs(tokens)
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}
        return self._chunk([choice], **({"usage": None} if self.body.wants_usage else {}))

    async def streamed(self, coming: AsyncGenerator[Text | Done], first: Text | Done) -> AsyncGenerator[str]:
        """Server-sent events: the role, the text in pieces, the end, the usage if asked for, `[DONE]`."""
        yield self._delta({"role": "assistant", "content": ""})
        try:
            piece: Text | Done = first
            tokens: list[Json] = []
            while isinstance(piece, Text):
                tokens += piece.logprobs
                if words := self.splitter.feed(piece.text):
                    yield self._delta({"content": words}, tokens=tokens)
                    tokens = []
                piece = await anext(coming)
            words, calls = self.splitter.end()
            if words or tokens:
                yield self._delta({"content": words} if words else {}, tokens=tokens)
            for index, call in enumerate(calls):
                yield self._delta({"tool_calls": [{"index": index, **call}]})
            yield self._delta({}, "tool_calls" if calls else piece.finish_reason)
            if self.body.wants_usage:
                yield self._chunk([], usage=_usage(piece))
        except ServingFailed as error:
            yield event(
                {"error": {"message": str(error), "type": "server_error", "param": None, "code": None}}
            )
            return
        finally:
            await coming.aclose()
        yield "data: [DONE]\n\n"


@router.post("", response_model=None)
async def create(parts: Parts, who: Who, request: Request, body: Ask) -> Response | Json:
    answer = Answer(parts, who.project, body)
    if not body.stream:
        return await unless_gone(request, answer.whole()) or Response(status_code=CLIENT_GONE)
    # The first piece is awaited here, so that what goes wrong before it still gets a status of its own.
    coming = answer.pieces()
    first = await unless_gone(request, coming.asend(None))
    if first is None:
        return Response(status_code=CLIENT_GONE)
    return StreamingResponse(answer.streamed(coming, first), media_type="text/event-stream")

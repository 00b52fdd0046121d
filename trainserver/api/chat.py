"""/v1/chat/completions, plain and streamed."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response

from trainserver.api.asking import Json, Splitter, choices
from trainserver.api.chat_body import Ask, question
from trainserver.api.state import Parts, State, Who
from trainserver.api.telling import event, told
from trainserver.errors import ServingFailed
from trainserver.ids import new_id
from trainserver.serving import Done, Text

router = APIRouter(prefix="/v1/chat/completions")
Coming = AsyncGenerator[tuple[int, Text | Done]]


class Choice:
    """One of the answers to a call."""

    def __init__(self, index: int, body: Ask, *, calls: bool) -> None:
        self.index = index
        self._logprobs = bool(body.logprobs)
        self._splitter = Splitter(calls=calls, only_one=body.parallel_tool_calls is False)
        self._tokens: list[Json] = []
        self.done = Done("stop", 0, 0)

    def feed(self, text: Text) -> str:
        """Take in a piece; gives the words that can be told."""
        self._tokens += text.logprobs
        return self._splitter.feed(text.text)

    def end(self, done: Done) -> tuple[str, list[Json]]:
        """The words that were held back, and the calls."""
        words, calls = self._splitter.end()
        self.done = Done("tool_calls", done.prompt_tokens, done.completion_tokens) if calls else done
        return words, calls

    def tokens(self) -> Json | None:
        """The log-probabilities of the tokens since the last time."""
        tokens, self._tokens = self._tokens, []
        return {"content": tokens, "refusal": None} if self._logprobs else None

    def whole(self, calls: list[Json]) -> Json:
        message: Json = {"role": "assistant", "content": self._splitter.told, "refusal": None}
        if calls:
            message |= {"content": self._splitter.told or None, "tool_calls": calls}
        return {
            "index": self.index,
            "message": message,
            "logprobs": self.tokens(),
            "finish_reason": self.done.finish_reason,
        }

    def delta(self, delta: Json, finish_reason: str | None = None) -> Json:
        logprobs = self.tokens() if self._tokens else None
        return {"index": self.index, "delta": delta, "logprobs": logprobs, "finish_reason": finish_reason}


class Answer:
    """The answer to one call on its way to the client."""

    def __init__(self, parts: State, project: str, body: Ask) -> None:
        self.body = body
        self.parts = parts
        self.question = question(parts, project, body)
        self.choices = [Choice(i, body, calls=bool(self.question.tools)) for i in range(body.n or 1)]
        self.head: Json = {"id": new_id("chatcmpl"), "created": int(time.time()), "model": body.model}

    def pieces(self) -> Coming:
        return choices(self.parts, self.question, len(self.choices))

    def _usage(self) -> dict[str, int]:
        prompt = self.choices[0].done.prompt_tokens
        said = sum(choice.done.completion_tokens for choice in self.choices)
        return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}

    async def whole(self) -> Json:
        """The answer as one object."""
        calls: dict[int, list[Json]] = {}
        async with aclosing(self.pieces()) as coming:
            async for number, piece in coming:
                choice = self.choices[number]
                if isinstance(piece, Text):
                    choice.feed(piece)
                else:
                    calls[number] = choice.end(piece)[1]
        made = [choice.whole(calls[choice.index]) for choice in self.choices]
        return {**self.head, "object": "chat.completion", "choices": made, "usage": self._usage()}

    def _chunk(self, made: list[Json], **more: Any) -> str:
        if self.body.wants_usage:
            more = {"usage": None, **more}
        return event({**self.head, "object": "chat.completion.chunk", "choices": made, **more})

    def _told(self, choice: Choice, piece: Text | Done) -> list[Json]:
        """What a piece makes of a choice: words, or the rest, the calls and the end."""
        if isinstance(piece, Text):
            words = choice.feed(piece)
            return [choice.delta({"content": words})] if words else []
        words, calls = choice.end(piece)
        told = [choice.delta({"content": words})] if words else []
        told += [choice.delta({"tool_calls": [{"index": i, **call}]}) for i, call in enumerate(calls)]
        return [*told, choice.delta({}, choice.done.finish_reason)]

    async def streamed(self, coming: Coming, first: tuple[int, Text | Done]) -> AsyncGenerator[str]:
        """Server-sent events: the roles, the texts in pieces, the ends, the usage if asked for, `[DONE]`."""
        try:
            for choice in self.choices:
                yield self._chunk([choice.delta({"role": "assistant", "content": ""})])
            for one in self._told(self.choices[first[0]], first[1]):
                yield self._chunk([one])
            async for number, piece in coming:
                for one in self._told(self.choices[number], piece):
                    yield self._chunk([one])
            if self.body.wants_usage:
                yield self._chunk([], usage=self._usage())
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
    return await told(request, Answer(parts, who.project, body), stream=body.stream)

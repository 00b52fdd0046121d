"""What chat completions and responses share: finding the model, asking it, taking its tool calls apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainserver import models, toolcalls
from trainserver.api.models import missing
from trainserver.api.state import State
from trainserver.errors import ApiError, BadRequest, Forbidden, ServingFailed
from trainserver.messages import BadMessage, Message, Tool, check_calls, in_call_order, read_message
from trainserver.sampling import Sampling
from trainserver.serving import Done, Text

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """All that an answer depends on; `param` is where its messages were given."""

    base: str
    adapter: Path | None
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    sampling: Sampling
    param: str = "messages"


def find_model(parts: State, project: str, name: str) -> tuple[str, Path | None]:
    """The base and the adapter behind a name. Raises `NotFound`, and `Forbidden` for a model that is held."""
    if name in parts.config.bases:
        return name, None
    with parts.database.read() as connection:
        model = models.find(connection, name, project)
    if model is None or model.base not in parts.config.bases:
        raise missing(name)
    if model.held:
        raise Forbidden(
            f"The model `{name}` is held: it failed a safety check after training, and a person must release"
            " it first.",
            param="model",
            code="model_held",
        )
    return model.base, parts.layout.root / model.folder


def read_messages(values: Sequence[Any], param: str = "messages") -> tuple[Message, ...]:
    """The conversation. Raises `BadRequest` naming the message."""
    messages: list[Message] = []
    for i, value in enumerate(values):
        try:
            messages.append(read_message(value))
        except BadMessage as error:
            raise BadRequest(f"Invalid value for {param}[{i}]: {error}.", param=f"{param}.[{i}]") from error
    try:
        check_calls(messages)
    except BadMessage as error:
        raise BadRequest(f"Invalid value for {param}: {error}.", param=param) from error
    return tuple(in_call_order(messages))


async def pieces(parts: State, question: Question) -> AsyncGenerator[Text | Done]:
    """The answer as it comes; closing this stops the generation. Raises `BadRequest` and `ServingFailed`."""
    asked = parts.serving.answer(
        question.base, question.adapter, question.messages, question.sampling, question.tools or None
    )
    try:
        async with asked as answer:
            async for piece in answer:
                yield piece
    except BadRequest as error:
        raise BadRequest(error.message, param=question.param, code=error.code) from error


async def choices(parts: State, question: Question, count: int) -> AsyncGenerator[tuple[int, Text | Done]]:
    """Several answers to one question as they come, each piece with the number of its answer.

    With a seed, each answer has its own made of it. Closing this stops them all.
    """
    coming: asyncio.Queue[tuple[int, Text | Done | ApiError | ServingFailed]] = asyncio.Queue()

    async def follow(number: int) -> None:
        seed = question.sampling.seed
        sampling = replace(question.sampling, seed=None if seed is None else seed + number)
        try:
            async with aclosing(pieces(parts, replace(question, sampling=sampling))) as answer:
                async for piece in answer:
                    coming.put_nowait((number, piece))
        except (ApiError, ServingFailed) as error:
            coming.put_nowait((number, error))

    following = [asyncio.create_task(follow(number)) for number in range(count)]
    left = count
    try:
        while left:
            number, piece = await coming.get()
            if isinstance(piece, ApiError | ServingFailed):
                raise piece
            left -= isinstance(piece, Done)
            yield number, piece
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


class Splitter:
    """Parts an answer that may hold tool calls: words go out at once, calls when they are whole."""

    def __init__(self, *, calls: bool, only_one: bool) -> None:
        self._calls = calls
        self._only_one = only_one
        self.text = ""
        self.told = ""

    def feed(self, text: str) -> str:
        """Take in a piece of the answer; gives the words that are surely words."""
        self.text += text
        if not self._calls:
            self.told = self.text
            return text
        new = self.text[: _sure(self.text)][len(self.told) :]
        self.told += new
        return new

    def end(self) -> tuple[str, list[Json]]:
        """The words that were still held back, and the calls."""
        if not self._calls:
            return "", []
        words, calls = toolcalls.parse(self.text)
        whole = words or ""
        rest = whole[len(self.told) :] if whole.startswith(self.told) else ""
        self.told += rest
        return rest, calls[:1] if self._only_one else calls


def _sure(text: str) -> int:
    """How many characters of `text` are words: those before a call, and before what may begin one."""
    opening = toolcalls.OPENING
    at = text.find(opening)
    if at < 0:
        begun = (length for length in range(len(opening) - 1, 0, -1) if text.endswith(opening[:length]))
        at = len(text) - next(begun, 0)
    return len(text[:at].rstrip())

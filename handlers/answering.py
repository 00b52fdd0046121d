"""One answer as it comes: its pieces made harmless and shown, until it ends or somebody stops it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, assert_never

import structlog

from handlers.house import House
from handlers.streaming import INTERVAL, AnswerWriter, StoppedByPerson
from handlers.talks import Talk
from handlers.text import TailFilter, cut, harmless_markdown
from handlers.views.chat import tool_call
from storage.chat_records import ChatThread, Turn
from tuning.chat.service import Done, Part, Waiting
from tuning.errors import Refused, TuningError
from tuning.providers import Delta, ToolCall

log = structlog.get_logger(__name__)

EMPTY = "_The model answered with nothing._"


@dataclass(slots=True)
class Given:
    """What became of one answer: ``text`` is kept as its turn, ``trouble`` says why it is not whole."""

    text: str = ""
    end: Done | None = None
    trouble: str = ""
    stopped: bool = False


async def give(
    house: House,
    thread: ChatThread,
    turns: list[Turn],
    writer: AnswerWriter,
    talk: Talk,
    waiting: Callable[[], Awaitable[None]],
) -> Given:
    """Shows the answer to the last turn; ``waiting`` is called while the model is still being loaded."""
    giving = _Giving(writer, waiting)
    try:
        async with aclosing(house.chat.stream(thread, turns)) as parts:
            giving.given.stopped = await _each(parts, giving.take, writer, talk)
    except StoppedByPerson:
        giving.given.stopped = True
        return giving.given
    except TuningError as problem:
        given = giving.given
        log.warning("answer_failed", problem=type(problem).__name__, begun=bool(given.text))
        given.trouble = _why(problem)
    try:
        await writer.add(giving.harmless.close() + _last_words(giving.given))
    except StoppedByPerson:
        giving.given.stopped = True
    return giving.given


async def _each(
    parts: AsyncGenerator[Part], take: Callable[[Part], Awaitable[None]], writer: AnswerWriter, talk: Talk
) -> bool:
    """Takes every part until the end (``False``) or a stop (``True``), which does not wait for the next.

    While the model is silent, what was written so far is shown.
    """
    stopping = asyncio.create_task(talk.stopped.wait())
    coming: asyncio.Future[Part] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(parts))
            while not coming.done():
                await asyncio.wait({coming, stopping}, timeout=INTERVAL, return_when="FIRST_COMPLETED")
                if talk.stopped.is_set():
                    return True
                if not coming.done():
                    await writer.add("")
            try:
                part = coming.result()
            except StopAsyncIteration:
                return talk.stopped.is_set()
            await take(part)
            if talk.stopped.is_set() and not isinstance(part, Done):
                return True
    finally:
        await _cancelled(stopping, coming)


async def _cancelled(*tasks: asyncio.Future[Any] | None) -> None:
    """Cancels what still runs and waits for its end."""
    running = [task for task in tasks if task is not None and not task.done()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


class _Giving:
    """Takes the parts of one answer."""

    def __init__(self, writer: AnswerWriter, waiting: Callable[[], Awaitable[None]]) -> None:
        self.given = Given()
        self.harmless = TailFilter()
        self._writer = writer
        self._waiting = waiting

    async def take(self, part: Part) -> None:
        """Shows a part and keeps it."""
        match part:
            case Delta():
                self.given.text += part.text
                await self._writer.add(self.harmless.feed(part.text))
            case ToolCall():
                self.given.text += ("\n" if self.given.text else "") + f"{part.name}({part.arguments})"
                await self._writer.add(self.harmless.close() + tool_call(part.name, part.arguments))
            case Done():
                self.given.end = part
            case Waiting():
                await self._waiting()
            case _:
                assert_never(part)


def _why(problem: TuningError) -> str:
    """What happened, what to do, and the provider's own words where it refused."""
    own = cut(problem.provider_words, 300) if isinstance(problem, Refused) else ""
    said = f"The provider says: “{own}”" if own and own != str(problem) else ""
    return " ".join(part for part in (str(problem), problem.todo, said) if part)


def _last_words(given: Given) -> str:
    if given.trouble:
        return ("\n\n" if given.text else "") + "⚠️ " + harmless_markdown(given.trouble)
    return "" if given.text.strip() or given.stopped else EMPTY

"""Takes what lies in the inbox and has it handled: in order per thread, several threads at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from handlers import reply
from handlers.house import House
from handlers.incoming import Incoming
from handlers.slackapi import code_of, retry_after
from storage import inbox
from storage.errors import StoreClosed, StoreUnusable
from storage.records import InboxItem

log = structlog.get_logger(__name__)

Handle = Callable[[House, InboxItem, Incoming], Awaitable[None]]
AT_ONCE = 64
TRIES = 3
WAITS = (1.0, 4.0)
"""Seconds before the second and the third try."""
GRACE = 5.0
"""Seconds that work under way gets at the end."""


def lane(said: Incoming) -> str:
    """Things of one lane are handled one after the other, in order of arrival."""
    place = f"{said.channel}:{said.root}"
    match said.kind:
        case "message" | "chat":
            # "stop" must not wait for the answer it is to stop.
            return f"stop:{place}" if said.stops else f"thread:{place}"
        case "command":
            return f"command:{said.channel}:{said.user}"
        case "action":
            return f"action:{said.channel}:{said.ts or said.view.get('id', '')}:{said.user}"
        case "submission":
            return f"view:{said.view.get('id', '')}"
        case "drop" | "home":
            return f"{said.kind}:{place}:{said.user}"


class Worker:
    """Runs until it is closed. Nothing is lost by closing or a crash: what is not done stays in the inbox."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._handlers: dict[str, Handle] = {}
        self._resume: Callable[[], Awaitable[None]] | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._lanes: dict[str, deque[InboxItem]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last = 0
        self._closing = False

    def serve(self, handlers: dict[str, Handle], resume: Callable[[], Awaitable[None]] | None = None) -> None:
        """Sets who handles which kind of item; ``resume`` is called once when :meth:`run` begins."""
        self._handlers = handlers
        self._resume = resume

    def wake(self) -> None:
        """There is something new in the inbox."""
        self._news.set()

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something that must not hold up its lane; what it does must be safe to begin anew."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def run(self) -> None:
        """Handles what was left over, then everything that comes, until :meth:`close`."""
        if self._resume is not None:
            await self._resume()
        while not self._closing:
            self._news.clear()
            for item in await self._house.store.read(lambda db: inbox.waiting(db, after=self._last)):
                self._last = item.id
                self._line_up(item)
            if not self._closing:
                await self._news.wait()

    async def close(self) -> None:
        """Takes nothing more, gives work under way a moment, then breaks it off."""
        self._closing = True
        self._news.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _line_up(self, item: InboxItem) -> None:
        key = lane(Incoming.of(item.payload))
        if key in self._lanes:
            self._lanes[key].append(item)
            return
        self._lanes[key] = deque([item])
        self.background(self._walk(key))

    async def _walk(self, key: str) -> None:
        queue = self._lanes[key]
        try:
            while queue and not self._closing:
                await self._handle(queue[0])
                queue.popleft()
                self.wake()  # what was handled may have put something new into the inbox
        finally:
            del self._lanes[key]

    async def _handle(self, item: InboxItem) -> None:
        said = Incoming.of(item.payload)
        for attempt in range(TRIES):
            try:
                async with self._room:
                    await self._handlers[said.kind](self._house, item, said)
                await self._house.store.write(lambda db: inbox.done(db, item.id))
                return
            except (StoreClosed, StoreUnusable) as problem:
                log.error("inbox_item_left", item=item.id, kind=said.kind, problem=str(problem))
                return
            except Exception as problem:
                final = attempt == TRIES - 1 or not reply.passing(problem)
                await self._failed(item, said, problem, final=final)
                if final:
                    return
                await asyncio.sleep(max(WAITS[attempt], _asked_wait(problem)))

    async def _failed(self, item: InboxItem, said: Incoming, problem: Exception, *, final: bool) -> None:
        log.warning(
            "inbox_item_failed",
            item=item.id,
            kind=said.kind,
            final=final,
            problem=_name(problem),
            exc_info=final and not reply.passing(problem),
        )
        if final:
            try:
                await reply.tell(self._house, said, reply.apology(problem, self._house.command))
            except (SlackApiError, OSError, TimeoutError) as silent:
                log.warning("apology_not_said", item=item.id, problem=_name(silent))
        words = _name(problem)
        await self._house.store.write(lambda db: inbox.tried(db, item.id, words, final=final))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("background_work_failed", problem=_name(problem), exc_info=problem)


def _asked_wait(problem: Exception) -> float:
    return retry_after(problem) if isinstance(problem, SlackApiError) else 0.0


def _name(problem: BaseException) -> str:
    """What is logged of an error: its kind and Slack's code, never what a person wrote."""
    if isinstance(problem, SlackApiError):
        return f"SlackApiError {code_of(problem)}"
    return type(problem).__name__

"""Takes what lies in the inbox and has it handled: in order per thread, several threads at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from handlers import reply
from handlers.answer import Message
from handlers.house import House
from handlers.incoming import Incoming
from handlers.people import REFUSAL, People
from handlers.posting import UNKNOWN
from handlers.slackapi import code_of, retry_after
from storage import inbox
from storage.errors import StoreClosed, StoreUnusable
from storage.records import InboxItem
from storage.store import Database

log = structlog.get_logger(__name__)

Handle = Callable[[House, InboxItem, Incoming], Awaitable[None]]
AT_ONCE = 64
"""Things handled at the same time."""
HELD = 2_000
"""Things taken from the inbox into memory at most; the others wait there."""
BUSY_AFTER = 5.0
"""Seconds that a person waits for their turn before they are told so."""
TRIES = 3
WAITS = (1.0, 4.0)
"""Seconds before the second and the third try."""
DISK_WAIT = 5.0
"""Seconds until a disk that took nothing is tried again."""
GRACE = 4.0
"""Seconds that work under way gets at the end."""
LAST_WORDS = 3.0
"""Seconds that broken-off work gets to say so."""
CANCELS = 5
"""How often work is broken off that begins something else each time: one more call to a silent Slack."""


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
        case "about":
            return f"about:{place}:{said.user}"
        case "compare":
            return f"compare:{place}"
        case "changed":
            return f"thread:{place}"
        case "stop":
            return f"stop:{place}"
        case "drop" | "home":
            return f"{said.kind}:{place}:{said.user}"


class Worker:
    """Runs until it is closed. Nothing is lost by closing or a crash: what is not done stays in the inbox."""

    def __init__(self, house: House, people: People | None = None) -> None:
        """``people`` says who is turned away; without it nobody is."""
        self._house = house
        self._handlers: dict[str, Handle] = {}
        self._resume: Callable[[], Awaitable[None]] | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._lanes: dict[str, deque[InboxItem]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._people = people
        self._last = 0
        self._held = 0
        self._ahead = 0
        self._closing = False

    @property
    def held(self) -> int:
        """Things taken from the inbox and not finished."""
        return self._held

    def serve(self, handlers: dict[str, Handle], resume: Callable[[], Awaitable[None]] | None = None) -> None:
        """Sets who handles which kind of item; ``resume`` is called once when :meth:`run` begins."""
        self._handlers = handlers
        self._resume = resume

    def wake(self) -> None:
        """There is something new in the inbox."""
        self._news.set()

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something that must not hold up its lane; what it does must be safe to begin anew."""
        self._beside(work)

    def _beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def run(self) -> None:
        """Handles what was left over, then everything that comes, until :meth:`close`."""
        if self._resume is not None:
            await self._resume()
        while not self._closing:
            self._news.clear()
            try:
                items = await self._house.store.read(self._next)
            except StoreUnusable as problem:
                log.error("inbox_unreadable", problem=str(problem))
                await asyncio.sleep(DISK_WAIT)
                self._news.set()
                continue
            for item in items:
                self._last = item.id
                self._line_up(item)
            if not self._closing:
                await self._news.wait()

    async def close(self) -> None:
        """Takes nothing more, gives work under way a moment, then breaks it off and lets it say so."""
        self._closing = True
        self._news.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)
        left, patience = set(self._tasks), LAST_WORDS
        for _ in range(CANCELS):
            if not left:
                return
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=patience)
            patience = LAST_WORDS / 10.0
        log.warning("work_left_behind", tasks=len(left))

    def _next(self, db: Database) -> list[InboxItem]:
        return inbox.waiting(db, after=self._last, limit=max(0, HELD - self._held))

    def _line_up(self, item: InboxItem) -> None:
        self._held += 1
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
                self._held -= 1
                self.wake()  # what was handled may have put something new into the inbox
        finally:
            self._held -= len(queue)
            del self._lanes[key]

    async def _handle(self, item: InboxItem) -> None:
        said = Incoming.of(item.payload)
        try:
            for attempt in range(TRIES):
                try:
                    if not await self._turn_away(said):
                        await self._in_turn(item, said)
                except StoreClosed:
                    raise
                except Exception as problem:
                    final = attempt == TRIES - 1 or not _passing(problem)
                    await self._failed(item, said, problem, final=final)
                    if final:
                        return
                    await asyncio.sleep(max(WAITS[attempt], _asked_wait(problem)))
                else:
                    await self._keep(item, lambda db: inbox.done(db, item.id))
                    return
        except StoreClosed:
            log.info("inbox_item_left", item=item.id, kind=said.kind)
        except Exception as problem:  # a fault of ours: what waits behind it in its lane has its turn
            log.error("inbox_item_left", item=item.id, kind=said.kind, exc_info=problem)

    async def _keep(self, item: InboxItem, mark: Callable[[Database], None]) -> None:
        """Writes what became of an item; a disk that takes nothing now is tried until it does."""
        while True:
            try:
                await self._house.store.write(mark)
                return
            except StoreUnusable as problem:
                log.error("inbox_item_not_marked", item=item.id, kind=item.kind, problem=str(problem))
                await asyncio.sleep(DISK_WAIT)

    async def _turn_away(self, said: Incoming) -> bool:
        if self._people is None or not await self._people.refused(said):
            return False
        log.info("person_refused", kind=said.kind)
        if said.kind in ("command", "action", "submission", "about") or said.mentioned or said.is_dm:
            await reply.tell(self._house, said, Message(REFUSAL))
        return True

    async def _in_turn(self, item: InboxItem, said: Incoming) -> None:
        """Handles an item once there is room; what makes room, a stop, waits for none."""
        handle = self._handlers[said.kind]
        if said.kind == "stop" or said.stops:
            await handle(self._house, item, said)
            return
        await self._find_room(said)
        try:
            await handle(self._house, item, said)
        finally:
            self._room.release()

    async def _find_room(self, said: Incoming) -> None:
        """Waits for room; who waits long for it is told so, and the telling takes none of their time."""
        self._ahead += 1
        try:
            try:
                async with asyncio.timeout(BUSY_AFTER):
                    await self._room.acquire()
            except TimeoutError:
                telling = self._beside(self._say_busy(said))
                try:
                    await self._room.acquire()
                finally:
                    telling.cancel()
        finally:
            self._ahead -= 1

    async def _say_busy(self, said: Incoming) -> None:
        if said.kind == "home":
            return
        words = f"I am busy: about {self._ahead} requests wait. Yours is kept and comes in its turn."
        try:
            await reply.tell(self._house, said, Message(words))
        except (SlackApiError, OSError, *UNKNOWN) as problem:
            log.info("busy_not_said", problem=_name(problem))

    async def _failed(self, item: InboxItem, said: Incoming, problem: Exception, *, final: bool) -> None:
        log.warning(
            "inbox_item_failed",
            item=item.id,
            kind=said.kind,
            final=final,
            problem=_name(problem),
            exc_info=final and not _passing(problem),
        )
        if final:
            try:
                await reply.tell(self._house, said, reply.apology(problem, self._house.command))
            except (SlackApiError, OSError, *UNKNOWN) as silent:
                log.warning("apology_not_said", item=item.id, problem=_name(silent))
        words = _name(problem)
        await self._keep(item, lambda db: inbox.tried(db, item.id, words, final=final))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("background_work_failed", problem=_name(problem), exc_info=problem)


def _passing(problem: Exception) -> bool:
    return reply.passing(problem) or isinstance(problem, StoreUnusable)


def _asked_wait(problem: Exception) -> float:
    return retry_after(problem) if isinstance(problem, SlackApiError) else 0.0


def _name(problem: BaseException) -> str:
    """What is logged of an error: its kind and Slack's code, never what a person wrote."""
    if isinstance(problem, SlackApiError):
        return f"SlackApiError {code_of(problem)}"
    return type(problem).__name__

"""What was said while the bot was away: read from the channels it knows, through the same door.

Slack delivers an event again for about six minutes; what was said in a longer gap exists only in the history.
After every new connection each channel is read from the last message that arrived from it, for a day at most;
one from which none ever arrived (the bot was invited meanwhile, say), from the last that arrived anywhere.
What has arrived already is known to the door by its content key, so nothing is handled twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.house import House
from handlers.incoming import Payload
from handlers.meters import CAUGHT_UP
from handlers.posting import FOREVER, UNKNOWN
from handlers.slackapi import code_of, part_in, retry_after, text_in
from handlers.slackclient import PacedClient
from storage import chats, seen
from storage.errors import StoreClosed, StoreUnusable

log = structlog.get_logger(__name__)

Take = Callable[[Payload], Awaitable[bool]]

DAY = 86_400.0
KEEP_EVERY = 10.0
"""Seconds between two writings of how far was read: a crash in between only reads a little twice."""
AGAIN = 15.0
PAGES = 25
THREADS = 20
"""Active chat threads of a channel whose replies are read; threads under newer messages are read anyway."""


class CatchUp:
    """Remembers how far each channel was read and reads on from there after a gap."""

    def __init__(self, house: House) -> None:
        self._house = house
        client = house.client
        self._client: AsyncWebClient = client.behind() if isinstance(client, PacedClient) else client
        self._seen: dict[str, str] = {}
        self._gaps: dict[str, str] = {}
        self._rooms: tuple[frozenset[str], str] | None = None
        self._since: str | None = None
        self._changed = False
        self._connections = 0
        self._news = asyncio.Event()
        self._take: Take | None = None

    def serve(self, take: Take) -> None:
        """Sets who takes a message that was found, as an event; it answers whether it was new."""
        self._take = take

    async def load(self) -> None:
        """Reads what an earlier life knew; call it before connecting."""
        self._seen = await self._house.store.read(seen.all_of)

    def saw(self, body: Payload) -> None:
        """A payload was taken care of. Slack's word that it left some out opens a gap."""
        if body.get("type") == "app_rate_limited":
            self.connected()
            return
        event: Any = body.get("event") if body.get("type") == "event_callback" else None
        if not isinstance(event, dict):
            return
        told = cast(Payload, event)
        channel, ts = told.get("channel"), told.get("ts")
        if told.get("type") not in ("message", "app_mention"):
            return
        if isinstance(channel, str) and isinstance(ts, str) and ts > self._seen.get(channel, ""):
            self._seen[channel] = ts
            self._changed = True

    def missed(self, body: Payload) -> None:
        """A payload could not be written down. Slack repeats it for minutes; then only the history has it."""
        event: Any = body.get("event") if body.get("type") == "event_callback" else None
        told = cast(Payload, event) if isinstance(event, dict) else {}
        channel, ts = told.get("channel"), told.get("ts")
        if (
            told.get("type") in ("message", "app_mention")
            and isinstance(channel, str)
            and isinstance(ts, str)
        ):
            since = f"{float(ts) - 1.0:.6f}"
            known = [since, self._seen.get(channel, since), self._gaps.get(channel, since)]
            self._gaps[channel] = min(known)
            self._changed = True
            self._news.set()

    def connected(self) -> None:
        """A connection begins: whatever was said since the last message seen may have been missed."""
        self._connections += 1
        since = max(self._seen.values(), default=self._since)
        if since is not None and self._rooms is None:
            self._rooms = frozenset(self._seen), since
        self._since = self._since or f"{self._house.clock():.6f}"
        self._gaps = {**self._seen, **self._gaps}
        if self._gaps or self._rooms:
            self._news.set()

    async def run(self) -> None:
        """Works until it is cancelled."""
        try:
            while True:
                try:
                    async with asyncio.timeout(KEEP_EVERY):
                        await self._news.wait()
                except TimeoutError:
                    await self.keep()
                    continue
                self._news.clear()
                if wait := await self.read_gaps():
                    await asyncio.sleep(wait)
                    self._news.set()
                await self.keep()
        except StoreClosed:
            log.info("catch_up_ends")

    async def keep(self) -> None:
        """Writes down how far was read; a channel with a gap stays where its gap begins."""
        if not self._changed:
            return
        newest = {**self._seen, **self._gaps}
        self._changed = False
        try:
            await self._house.store.write(lambda db: seen.keep(db, newest))
        except StoreUnusable as problem:
            self._changed = True
            log.error("how_far_was_read_not_kept", problem=str(problem))

    async def read_gaps(self) -> float:
        """Reads all gaps; answers how many seconds to wait before trying what is left, 0 when nothing is."""
        wait = await self._add_rooms()
        for channel, since in list(self._gaps.items()):
            before = self._connections
            try:
                await self._read(channel, since)
            except SlackApiError as problem:
                if code_of(problem) not in FOREVER and code_of(problem) != "missing_scope":
                    wait = max(wait, retry_after(problem), AGAIN)
                elif not await self._forget(channel, code_of(problem)):
                    wait = max(wait, AGAIN)
                continue
            except (*UNKNOWN, StoreUnusable) as problem:
                log.warning("channel_not_read", error=type(problem).__name__)
                wait = max(wait, AGAIN)
                continue
            self._seen.setdefault(channel, since)
            self._changed = True
            if before == self._connections:  # else it was read before the newest gap began: once more
                self._gaps.pop(channel, None)
        return wait

    async def _add_rooms(self) -> float:
        """Adds the channels from which nothing ever arrived; answers how long to wait if Slack is silent."""
        if self._rooms is None:
            return 0.0
        known, since = self._rooms
        try:
            rooms = [str(room["id"]) async for room in self._members()]
        except SlackApiError as problem:
            if code_of(problem) != "missing_scope":
                return max(retry_after(problem), AGAIN)
            rooms = []
        except UNKNOWN:
            return AGAIN
        self._gaps = self._gaps | {r: since for r in rooms if r not in known and r not in self._gaps}
        self._rooms = None
        return 0.0

    async def _members(self) -> AsyncIterator[Payload]:
        asked = {"limit": 200, "exclude_archived": "true", "types": "public_channel,private_channel"}
        async for room in self._listed("users.conversations", "channels", asked):
            yield room

    async def _forget(self, channel: str, why: str) -> bool:
        """Whether it could be written that the channel is gone."""
        log.info("channel_not_read", error=why)
        try:
            await self._house.store.write(lambda db: seen.forget(db, channel))
        except StoreUnusable as problem:
            log.error("channel_not_forgotten", problem=str(problem))
            return False
        self._gaps.pop(channel, None)
        self._seen.pop(channel, None)
        return True

    async def _read(self, channel: str, since: str) -> None:
        oldest = max(since, f"{self._house.clock() - DAY:.6f}")
        found = [m async for m in self._pages("history", channel=channel, oldest=oldest)]
        threads = [str(m["ts"]) for m in found if m.get("reply_count")]
        active = await self._house.store.read(lambda db: chats.active_in(db, channel, limit=THREADS))
        for ts in dict.fromkeys([*threads, *active]):
            found += [m async for m in self._replies(channel, ts, oldest)]
        new = 0
        for message in sorted(found, key=lambda m: str(m.get("ts", ""))):
            if str(message.get("ts", "")) > oldest:
                new += await self._pass_on(channel, message)
        if new:
            log.info("caught_up", messages=new)
            CAUGHT_UP.inc(new)

    async def _pass_on(self, channel: str, message: Payload) -> bool:
        assert self._take is not None, "serve() comes before run()"
        event = {**message, "type": "message", "channel": channel}
        ts = str(message["ts"])
        return await self._take(
            {"type": "event_callback", "event_id": f"missed:{channel}:{ts}", "event": event}
        )

    async def _replies(self, channel: str, ts: str, oldest: str) -> AsyncIterator[Payload]:
        try:
            async for message in self._pages("replies", channel=channel, ts=ts, oldest=oldest):
                if message.get("ts") != ts:
                    yield message
        except SlackApiError as problem:
            if code_of(problem) not in ("thread_not_found", "message_not_found"):
                raise

    async def _pages(self, what: str, **asked: Any) -> AsyncIterator[Payload]:
        async for message in self._listed(f"conversations.{what}", "messages", {"limit": 200, **asked}):
            yield message

    async def _listed(self, method: str, what: str, asked: dict[str, Any]) -> AsyncIterator[Payload]:
        for _ in range(PAGES):
            answer = await self._client.api_call(method, http_verb="GET", params=asked)
            for one in cast("list[Payload]", answer.get(what) or []):
                yield one
            cursor = text_in(part_in(answer, "response_metadata"), "next_cursor")
            if not cursor:
                return
            asked["cursor"] = cursor
        log.warning("history_not_read_to_its_end", method=method, pages=PAGES)

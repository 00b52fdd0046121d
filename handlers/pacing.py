"""Slack's rate limits, kept before they are hit: one place that every call to Slack goes through.

Slack counts calls by method (tiers) and messages by channel (docs.slack.dev/apis/web-api/rate-limits). Each
limit is a token bucket whose size and refill together stay within what Slack grants for a minute. A few
tokens of every bucket are kept for what a person waits for, so that edits of cards never hold up an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

LEAST_WAIT = 0.001
"""Seconds; less is nothing (sums of fractions are never quite whole)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``size`` calls at once, ``per_minute`` more a minute; the last ``kept`` are for people."""

    size: float
    per_minute: float
    kept: float


TIER_2 = Limit(10, 10, 2)
TIER_3 = Limit(20, 30, 6)
TIER_4 = Limit(40, 60, 10)
SPECIAL = Limit(60, 540, 20)
IN_CHANNEL = Limit(5, 55, 2)
"""About one message a second in a channel, with short bursts."""

HELD_SECONDS = 600.0

RESPONSE_URL = "response_url"
"""Answers to commands and clicks by the address that came with them: no method, but messages all the same."""

LIMITS: dict[str, Limit] = {
    **dict.fromkeys(
        ("chat.startStream", "chat.stopStream", "conversations.list", "reactions.remove", "users.list"),
        TIER_2,
    ),
    **dict.fromkeys(
        (
            "chat.appendStream",
            "chat.postEphemeral",
            "files.completeUploadExternal",
            "files.getUploadURLExternal",
            "files.info",
            "users.info",
            "views.open",
            "views.publish",
            "views.push",
            "views.update",
        ),
        TIER_4,
    ),
    **dict.fromkeys(("assistant.threads.setStatus", "auth.test", "chat.postMessage", RESPONSE_URL), SPECIAL),
}
"""By method; what is not here is taken for tier 3."""

POSTS = frozenset({"chat.postMessage", "chat.startStream", RESPONSE_URL})
"""What puts a message into a channel."""


class Bucket:
    """One token bucket. ``wait`` answers the seconds until a token is there; ``take`` takes it."""

    def __init__(self, limit: Limit, now: float) -> None:
        self.limit = limit
        self._tokens = limit.size
        self._at = now
        self._closed_until = 0.0

    def wait(self, now: float, *, urgent: bool, beside: int = 0) -> float:
        """Seconds until a call may be made and ``beside`` more after it; 0 for at once."""
        self._refill(now)
        needed = 1.0 + beside if urgent else 1.0 + self.limit.kept
        missing = needed - self._tokens
        wait = max(missing / self.limit.per_minute * 60.0, self._closed_until - now)
        return 0.0 if wait < LEAST_WAIT else wait

    def take(self, now: float) -> None:
        """Takes one token; call it only after ``wait`` answered 0."""
        self._refill(now)
        self._tokens -= 1.0

    def close(self, until: float, now: float) -> None:
        """Slack said no: nothing more before ``until``."""
        self._refill(now)
        self._tokens = min(self._tokens, 1.0 + self.limit.kept)
        self._closed_until = max(self._closed_until, until)

    def full(self, now: float) -> bool:
        """Whether it stands as if it had never been used."""
        self._refill(now)
        return self._tokens >= self.limit.size and now >= self._closed_until

    def _refill(self, now: float) -> None:
        self._tokens = min(self.limit.size, self._tokens + (now - self._at) * self.limit.per_minute / 60.0)
        self._at = now


class Pace:
    """All buckets of one workspace. Callers of one bucket and rank go in the order in which they came."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, Bucket] = {}
        self._lines: dict[tuple[str, bool], asyncio.Lock] = {}
        self._held: dict[str, list[float]] = {}

    async def turn(self, method: str, channel: str | None, *, urgent: bool) -> float:
        """Waits until the call may be made; answers how long that was in seconds."""
        began = self._clock()
        for name in _names(method, channel):
            async with self._lines.setdefault((name, urgent), asyncio.Lock()):
                bucket = self._bucket(name)
                while (wait := bucket.wait(self._clock(), urgent=urgent)) > 0:
                    await self._sleep(wait)
                bucket.take(self._clock())
        self._forget()
        return self._clock() - began

    def room(self, method: str, channel: str | None) -> bool:
        """Whether a person's call could be made at once, beside those that :meth:`hold` set aside."""
        now = self._clock()
        held = self._held.get(method, [])
        while held and held[0] < now - HELD_SECONDS:
            held.pop(0)
        return all(
            self._bucket(name).wait(now, urgent=True, beside=len(held)) <= 0
            for name in _names(method, channel)
        )

    def hold(self, method: str, channel: str | None) -> bool:
        """Sets the room for one later call of a person aside, if there is any; :meth:`free` gives it back.

        What is not given back in ten minutes is taken for lost.
        """
        found = self.room(method, channel)
        if found:
            self._held.setdefault(method, []).append(self._clock())
        return found

    def free(self, method: str) -> None:
        """The call that room was held for was made, or never will be."""
        if self._held.get(method):
            self._held[method].pop(0)

    def refused(self, method: str, channel: str | None, seconds: float) -> None:
        """Slack asks for ``seconds`` of rest: of the channel when it was a message, else of the method."""
        now = self._clock()
        self._bucket(_names(method, channel)[0]).close(now + seconds, now)

    def _bucket(self, name: str) -> Bucket:
        if name not in self._buckets:
            limit = IN_CHANNEL if name.startswith("#") else LIMITS.get(name, TIER_3)
            self._buckets[name] = Bucket(limit, self._clock())
        return self._buckets[name]

    def _forget(self) -> None:
        """Lets go of channels that have been quiet, so that memory does not grow with the workspace."""
        if len(self._buckets) < 1_000:
            return
        now = self._clock()
        for name in [name for name, bucket in self._buckets.items() if bucket.full(now)]:
            if not any(
                self._lines[key].locked() for key in ((name, True), (name, False)) if key in self._lines
            ):
                del self._buckets[name]
                self._lines.pop((name, True), None)
                self._lines.pop((name, False), None)


def _names(method: str, channel: str | None) -> list[str]:
    return [f"#{channel}", method] if channel and method in POSTS else [method]

"""What people see change, as a numbered stream with a ring of the last thousand changes to resume from."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from localslack.records import JSON

RING = 1_000
HEARTBEAT_S = 15.0


@dataclass(frozen=True)
class Change:
    """One change; ``audience`` is the set of user ids that may see it, None for everybody."""

    number: int
    body: JSON
    audience: frozenset[str] | None

    def seen_by(self, user_id: str) -> bool:
        return self.audience is None or user_id in self.audience


class Feed:
    """Published to by the workspace's verbs, read by ``GET /ui/events``."""

    def __init__(self) -> None:
        self._ring: deque[Change] = deque(maxlen=RING)
        self._number = 0
        self._wake = asyncio.Event()
        self.closed = False

    @property
    def number(self) -> int:
        """The number of the newest change."""
        return self._number

    def publish(self, body: JSON, audience: frozenset[str] | None = None) -> None:
        self._number += 1
        self._ring.append(Change(self._number, body, audience))
        self._signal()

    def close(self) -> None:
        """End every open stream (the program is stopping)."""
        self.closed = True
        self._signal()

    def _signal(self) -> None:
        self._wake.set()
        self._wake = asyncio.Event()

    async def follow(self, user_id: str, after: int | None) -> AsyncIterator[str]:
        """Server-Sent Events for one person, from change ``after`` on (None: from now).

        When ``after`` is older than the ring, or from another run of the program, the first event is
        ``{"type": "reset"}``: read the state anew.
        """
        last = self._number if after is None else after
        oldest = self._ring[0].number if self._ring else self._number + 1
        yield ": localslack\n\n"
        if last > self._number or last + 1 < oldest:
            last = self._number
            yield _event(last, {"type": "reset"})
        while not self.closed:
            wake = self._wake
            for change in [c for c in self._ring if c.number > last]:
                last = change.number
                if change.seen_by(user_id):
                    yield _event(change.number, change.body)
            if last == self._number and not self.closed:
                try:
                    await asyncio.wait_for(wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield ": still here\n\n"


def _event(number: int, body: JSON) -> str:
    return f"id: {number}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"

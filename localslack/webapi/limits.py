"""How often a method may be called: Slack's tiers with a little of Slack's own room, and faults on order."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable

from localslack.errors import RateLimited

WINDOW_S = 60.0
TIERS = {"t2": 24, "t3": 60, "t4": 120, "special": 600}
POST_BURST = 10
POST_RATE = 1.0


class RateLimits:
    """Counts by method (tiers) and by channel (posting: one message a second, bursts of ten)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._buckets: dict[str, tuple[float, float]] = {}
        self._ordered: dict[str, tuple[int, int]] = {}
        self.enabled = True

    def order(self, method: str, seconds: int, times: int) -> None:
        """The next ``times`` calls of ``method`` are refused with ``Retry-After: seconds``."""
        self._ordered[method] = (seconds, times)

    def clear(self) -> None:
        """Forget the ordered refusals and everything counted so far."""
        self._ordered.clear()
        self._calls.clear()
        self._buckets.clear()

    def check(self, method: str, tier: str) -> None:
        """Count a call. Raises RateLimited."""
        seconds, times = self._ordered.get(method, (0, 0))
        if times > 0:
            self._ordered[method] = (seconds, times - 1)
            raise RateLimited(seconds)
        if not self.enabled:
            return
        now, calls = self._now(), self._calls[method]
        while calls and now - calls[0] > WINDOW_S:
            calls.popleft()
        if len(calls) >= TIERS[tier]:
            raise RateLimited(max(1, math.ceil(WINDOW_S - (now - calls[0]))))
        calls.append(now)

    def check_post(self, channel_id: str) -> None:
        """Count a message in a channel. Raises RateLimited."""
        if not self.enabled:
            return
        now = self._now()
        tokens, last = self._buckets.get(channel_id, (float(POST_BURST), now))
        tokens = min(float(POST_BURST), tokens + (now - last) * POST_RATE)
        if tokens < 1:
            self._buckets[channel_id] = (tokens, now)
            raise RateLimited(max(1, math.ceil((1 - tokens) / POST_RATE)))
        self._buckets[channel_id] = (tokens - 1, now)

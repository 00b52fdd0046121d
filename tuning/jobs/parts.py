"""What every part of the engine works with, and how long things wait."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from storage.store import Store
from tuning.clock import Clock
from tuning.errors import ProviderError
from tuning.providers import Providers

CREATE_WAIT = 15.0
"""Seconds before a create whose fate is unknown is looked up: a slow provider may still be making the job."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The store, the providers, the clock, and the bounds between which the provider is asked (seconds).

    ``wake`` has everything looked at again at once.
    """

    store: Store
    providers: Providers
    clock: Clock
    poll_min: float
    poll_max: float
    wake: Callable[[], None]

    def backoff(self, attempts: int, problem: ProviderError | None = None) -> float:
        """Seconds until the next try: doubling from ``poll_min``, jittered, or what the provider asks for."""
        plain = min(self.poll_min * 2 ** max(0, min(attempts - 1, 16)), self.poll_max)
        jittered = plain * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing
        return max(jittered, (problem.retry_after or 0.0) if problem else 0.0)

    def clamp(self, seconds: float) -> float:
        """``seconds`` within the bounds."""
        return min(max(seconds, self.poll_min), self.poll_max)

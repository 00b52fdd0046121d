"""Slow work beside the tick: one task a key at most, none lost from sight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import structlog

from storage.errors import StoreClosed
from tuning.clock import Clock

log = structlog.get_logger(__name__)

REST_SECONDS = 30.0
"""How long a piece of work that broke unexpectedly is left alone."""


class Tasks:
    """The tasks under way. Work that raises is logged and may be begun again after a rest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._resting: dict[str, float] = {}
        self._closed = False

    def begin(self, key: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begins ``work`` unless the same key is under way or resting."""
        if self._closed or key in self._tasks or self._resting.get(key, 0.0) > self._clock():
            return
        self._resting.pop(key, None)
        self._tasks[key] = asyncio.create_task(self._run(key, work), name=key)

    def under_way(self, beginning: str) -> int:
        """How many tasks are under way whose keys begin so."""
        return sum(key.startswith(beginning) for key in self._tasks)

    async def _run(self, key: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await work()
        except StoreClosed:
            log.info("stopped by shutdown", task=key)
        except Exception:
            self._resting[key] = self._clock() + REST_SECONDS
            log.exception("work broke", task=key)
        finally:
            self._tasks.pop(key, None)

    async def settle(self) -> None:
        """Waits until nothing is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def close(self) -> None:
        """Cancels what is under way and waits for its end."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

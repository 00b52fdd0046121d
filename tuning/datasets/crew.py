"""Who works on the parts of a file: this process, or a crew of workers beside it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Generic

from tuning.datasets.worker import Answer, Job, Worker

MOST_WORKERS = 4
PARALLEL_FROM = 8 << 20
"""Smaller files are done before workers would have started."""
_AHEAD = 2


def workers_for(size: int, most: int = MOST_WORKERS) -> int:
    """How many workers beside this process a file of ``size`` bytes is worth, ``most`` or fewer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores - 1, most) if size >= PARALLEL_FROM and os.name == "posix" else 0


class Crew(Generic[Answer]):
    """Some workers, at work from the start, and this process as the one more while all of them are busy.

    Goes once over the ``parts``, places in a file where one begins and ends: the end of each, and what came
    of it, in their order. ``helps`` False: this process has other things to do and only waits for workers.
    """

    def __init__(
        self, job: Job[Answer], parts: Iterable[tuple[int, int]], workers: int, helps: bool = True
    ) -> None:
        self._parts = iter(parts)
        self._helps = helps or not workers
        self._waiting: deque[_Order[Answer]] = deque()
        self._workers: list[Worker[Answer]] = []
        self._own = job.hand()
        try:
            for _ in range(workers):
                self._workers.append(Worker(job, self._workers))
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Crew[Answer]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.end()

    def _begin(self) -> None:
        while (worker := self._free()) is not None and (part := next(self._parts, None)) is not None:
            self._order(worker, *part)

    def __iter__(self) -> Iterator[tuple[int, Answer]]:
        for start, stop in self._parts:
            while self._waiting and self._collects():
                yield self._collect()
            if (worker := self._free()) is not None:
                self._order(worker, start, stop)
            else:
                self._waiting.append(_Order(start, stop, None, self._own(start, stop)))
        while self._waiting:
            yield self._collect()

    def _free(self) -> Worker[Answer] | None:
        """A worker with room for an order."""
        worker = min(self._workers, key=lambda worker: worker.orders, default=None)
        return worker if worker is not None and worker.orders < _AHEAD else None

    def _order(self, worker: Worker[Answer], start: int, stop: int) -> None:
        worker.order(start, stop)
        self._waiting.append(_Order(start, stop, worker))

    def _collects(self) -> bool:
        """Whether to take the oldest answer before anything else is ordered or done."""
        many = len(self._waiting) > (_AHEAD + 1) * len(self._workers)
        return many or self._waiting[0].is_done() or not (self._helps or self._free())

    def _collect(self) -> tuple[int, Answer]:
        order = self._waiting.popleft()
        answer = order.answer if order.worker is None else order.worker.answer()
        if answer is None:  # the worker was killed, perhaps for memory: its work is done here
            answer = self._own(order.start, order.stop)
        return order.stop, answer


@dataclass(slots=True)
class _Order(Generic[Answer]):
    """A part somebody works on; without a worker it is done already."""

    start: int
    stop: int
    worker: Worker[Answer] | None
    answer: Answer | None = None

    def is_done(self) -> bool:
        return self.worker is None or self.worker.has_answered()

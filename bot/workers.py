"""The processes that check files: they leave Ctrl-C to their parent and never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.process import BaseProcess
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

CHECKERS = 2
"""Files looked at at once: a verdict need not wait for the second look at a big file."""
PARENT_LOOK_SECONDS = 2.0


class Checkers(Executor):
    """The pool that files are checked in; it goes on when one of its processes is killed.

    The system may kill a process that takes too much memory, and with it goes the whole pool. What was under
    way is begun anew in a new one, once; what is cut off again has failed (``BrokenProcessPool``).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._pool = _pool()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As ``Executor.submit``; a future that is still to be begun anew counts as not running."""
        future: Future[T] = Future()
        self._begin(future, partial(fn, *args, **kwargs), again=True)
        return future

    def _begin(self, future: Future[T], work: Callable[[], T], again: bool) -> None:
        with self._lock:
            pool = self._pool
            try:
                attempt = pool.submit(work)
            except BrokenProcessPool:
                if self._ended:
                    raise
                pool = self._pool = _pool()
                attempt = pool.submit(work)
        attempt.add_done_callback(lambda done: self._settle(future, work, again, pool, done))

    def _settle(
        self,
        future: Future[T],
        work: Callable[[], T],
        again: bool,
        pool: ProcessPoolExecutor,
        done: Future[T],
    ) -> None:
        if done.cancelled():
            future.cancel()
            return
        problem = done.exception()
        if isinstance(problem, BrokenProcessPool) and again and not self._ended:
            # not here: this is the broken pool's own thread, which may hold its lock
            threading.Thread(target=self._begin_anew, args=(future, work, pool)).start()
        elif future.set_running_or_notify_cancel():
            if problem is not None:
                future.set_exception(problem)
            else:
                future.set_result(done.result())

    def _begin_anew(self, future: Future[T], work: Callable[[], T], broken: ProcessPoolExecutor) -> None:
        broken.shutdown()
        try:
            self._begin(future, work, again=False)
        except RuntimeError as problem:  # broken again, or ended meanwhile
            if future.set_running_or_notify_cancel():
                future.set_exception(problem)

    def end(self) -> None:
        """Ends the pool at once: a check that is cut off is begun anew at the next start."""
        with self._lock:
            self._ended = True
            found = cast("dict[int, BaseProcess] | None", getattr(self._pool, "_processes", None))
            running = list((found or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
        for process in running:  # else the interpreter would wait for the checks that are under way
            process.terminate()


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(CHECKERS, multiprocessing.get_context("spawn"), initializer=_be_a_worker)


def _be_a_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()

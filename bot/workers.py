"""The processes that check files: they leave Ctrl-C to their parent and never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from typing import cast

CHECKERS = 2
"""Files looked at at once: a verdict need not wait for the second look at a big file."""
PARENT_LOOK_SECONDS = 2.0


def checkers() -> ProcessPoolExecutor:
    """The pool that files are checked in; end it with :func:`end`."""
    return ProcessPoolExecutor(CHECKERS, multiprocessing.get_context("spawn"), initializer=_be_a_worker)


def end(pool: ProcessPoolExecutor) -> None:
    """Ends the pool at once: a check that is cut off is begun anew at the next start."""
    found = cast("dict[int, BaseProcess] | None", getattr(pool, "_processes", None))
    running = list((found or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in running:  # else the interpreter would wait for the checks that are under way
        process.terminate()


def _be_a_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()

"""How much memory a program and everything it started hold together."""

from __future__ import annotations

import threading
from pathlib import Path


class MemoryOf(threading.Thread):
    """Watches a process and its descendants `every` so many seconds; `most` is the peak in bytes.

    The sum of proportional shares (PSS of ``/proc/PID/smaps_rollup``), so that pages which several
    processes share are counted once. Stays 0 on a system that has no such file.
    """

    def __init__(self, pid: int, every: float = 0.5) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.every = every
        self.most = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self.every):
            self.most = max(self.most, sum(map(_share, _family(self.pid))))

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self.most


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for listed in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += map(int, listed.read_text().split())
            except OSError:
                continue
    return found


def _share(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)

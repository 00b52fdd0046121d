"""The most memory that a process and those below it hold together, watched from outside."""

from __future__ import annotations

import threading
from pathlib import Path


class Memory(threading.Thread):
    """Adds up the proportional shares (PSS) of ``process`` and those below it; 0 where none are told."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._over = threading.Event()
        self.most = 0

    def run(self) -> None:
        while not self._over.wait(0.05):
            self.most = max(self.most, _held(self._process))

    def stop(self) -> float:
        """The most there was, in MB."""
        self._over.set()
        self.join()
        return self.most / 1e6


def _held(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        below = [
            int(child)
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:  # gone meanwhile, or another kind of system
        return 0
    share = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return share * 1024 + sum(map(_held, below))

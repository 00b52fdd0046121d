"""Times one part of the check in a fresh process: ``rules``, ``tokens`` or ``examine``.

Prints seconds, CPU seconds of all its processes, tokens, and the most memory that all its processes held
together, in MB: the sum of their proportional shares (PSS) every 50 ms where the system tells it and
``memory`` is asked for, else the sum of what each peaked at.
"""

from __future__ import annotations

import resource
import sys
import threading
import time
from pathlib import Path

from tuning.datasets import base_info, check_file, examine
from tuning.datasets.checking import Pace


class Memory(threading.Thread):
    """Watches this process and those it started."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            self.most = max(self.most, sum(map(_share, ["self", *_children()])))


def _children() -> list[str]:
    try:
        return (
            Path("/proc/self/task")
            .joinpath(str(threading.main_thread().native_id), "children")
            .read_text()
            .split()
        )
    except OSError:
        return []


def _share(process: str) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def main(part: str, path: Path) -> None:
    memory = Memory()
    if part == "examine":
        report = check_file(path)
    if "memory" in sys.argv:
        memory.start()
    before = time.process_time()
    start = time.perf_counter()
    if part == "examine":
        report = examine(path, report)
    else:
        report = check_file(path, base=base_info("gpt-4.1-mini"), pace=Pace(tokens=part == "tokens"))
    seconds = time.perf_counter() - start
    memory.over.set()
    work = (
        sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        - before
    )
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    most = memory.most or sum(peaks) * 1024
    print(seconds, work, report.tokens.total if report.tokens else 0, most / 1e6)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

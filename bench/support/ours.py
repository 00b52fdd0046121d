"""Times one part of the check in a fresh process: ``rules``, ``tokens`` or ``examine``.

Prints seconds, CPU seconds of all its processes, and tokens.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from tuning.datasets import base_info, check_file, examine
from tuning.datasets.checking import Pace


def _work() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main(part: str, path: Path) -> None:
    base = base_info("gpt-4.1-mini")
    first = check_file(path, pace=Pace(tokens=False)) if part == "examine" else None
    before, start = _work(), time.perf_counter()
    if first is not None:
        report = examine(path, first)
    else:
        report = check_file(path, base=base, pace=Pace(tokens=part == "tokens"))
    seconds, work = time.perf_counter() - start, _work() - before
    print(seconds, work, report.tokens.total if report.tokens else 0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

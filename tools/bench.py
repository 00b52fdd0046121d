"""Run every benchmark in bench/; with --smoke each one gets that option and only has to run through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(options: list[str]) -> int:
    scripts = sorted((ROOT / "bench").glob("*.py"))
    if not scripts:
        print("no benchmarks yet (bench/*.py)")
    failed = 0
    for script in scripts:
        print(f"── {script.name}", flush=True)
        failed |= subprocess.run(
            [sys.executable, "-m", f"bench.{script.stem}", *options], check=False, cwd=ROOT
        ).returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

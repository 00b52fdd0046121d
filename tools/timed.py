"""Run the parts of a check one after the other, all of them, and print what each took.

Each argument is ``name: command``. Exit status 1 when a part failed, after the last one ran.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time


def main(parts: list[str]) -> int:
    results: list[tuple[str, int, float]] = []
    for part in parts:
        name, _, command = part.partition(":")
        print(f"\n── {name}: {command.strip()}", flush=True)
        begin = time.monotonic()
        try:
            status = subprocess.run(shlex.split(command), check=False).returncode
        except KeyboardInterrupt:
            return 130
        results.append((name, status, time.monotonic() - begin))
    print()
    for name, status, seconds in results:
        print(f"{'ok    ' if status == 0 else 'FAILED'} {name:<12} {seconds:7.1f} s")
    print(f"{'':6} {'together':<12} {sum(seconds for _, _, seconds in results):7.1f} s")
    return int(any(status for _, status, _ in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

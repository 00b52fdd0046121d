"""Run the parts of a check one after the other, all of them, and print what each took.

Each argument is ``name: command``; one with ``&`` before its name runs beside the parts after it, and its
words come at the end. Exit status 1 when a part failed, after the last one ran.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

Result = tuple[str, int, float]


def main(parts: list[str]) -> int:
    begun = time.monotonic()
    results: list[Result] = []
    with ThreadPoolExecutor(max(1, len(parts))) as beside:
        waiting: list[tuple[str, Future[tuple[Result, str]]]] = []
        try:
            for part in parts:
                name, _, command = part.partition(":")
                if name.startswith("&"):
                    waiting.append((command, beside.submit(_apart, name[1:], command)))
                else:
                    _announce(name, command)
                    results.append(_run(name, command, None))
            for command, one in waiting:
                result, words = one.result()
                _announce(result[0], command)
                print(words, flush=True)
                results.append(result)
        except KeyboardInterrupt:
            return 130
    print()
    for name, status, seconds in results:
        print(f"{'ok    ' if status == 0 else 'FAILED'} {name:<12} {seconds:7.1f} s")
    print(f"{'':6} {'together':<12} {time.monotonic() - begun:7.1f} s")
    return int(any(status for _, status, _ in results))


def _announce(name: str, command: str) -> None:
    print(f"\n── {name}: {command.strip()}", flush=True)


def _run(name: str, command: str, sink: IO[str] | None) -> Result:
    begin = time.monotonic()
    status = subprocess.run(shlex.split(command), check=False, stdout=sink, stderr=sink).returncode
    return name, status, time.monotonic() - begin


def _apart(name: str, command: str) -> tuple[Result, str]:
    with tempfile.TemporaryFile("w+") as sink:
        result = _run(name, command, sink)
        sink.seek(0)
        return result, sink.read()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Who scans the parts of a file: this process, or a crew of workers beside it.

A worker is a bare interpreter of its own that reads its orders from a pipe and writes what it saw to
another. So it needs no fork, may be started from any process or thread, and ends by itself as soon as the
process that started it is gone. Answers come back in the order of the orders.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import msgspec

from tuning.datasets.scanning import Part, Plan, Scanner

MOST_WORKERS = 4
PARALLEL_FROM = 8 << 20
"""Smaller files are done before workers would have started."""
_AHEAD = 2
_SIZE = struct.Struct("<Q")
_ORDER = struct.Struct("<QQ")

# The package's front door loads much that a worker has no use for, so a worker comes in without it.
_START = """
import sys, types, json
sys.path[:] = json.loads(sys.argv[1])
package = sys.modules["tuning.datasets"] = types.ModuleType("tuning.datasets")
package.__path__ = [sys.argv[2]]
from tuning.datasets.crew import work
work(sys.stdin.buffer, sys.stdout.buffer)
"""


def workers_for(size: int) -> int:
    """How many workers a file of ``size`` bytes is worth; 0: this process alone."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS) if size >= PARALLEL_FROM and cores > 1 else 0


def scan(plan: Plan, parts: Iterable[tuple[int, int]], workers: int) -> Iterator[tuple[int, Part]]:
    """The end offset of each part, and what was seen in it, in the order of the file."""
    if workers:
        with _Crew(plan, workers) as crew:
            yield from crew.scan(parts)
        return
    scanner = Scanner(plan)
    try:
        for start, stop in parts:
            yield stop, scanner.scan(start, stop)
    finally:
        scanner.close()


class _Crew:
    def __init__(self, plan: Plan, workers: int) -> None:
        self._plan = plan
        self._workers = [_Worker(plan) for _ in range(workers)]
        self._own: Scanner | None = None

    def __enter__(self) -> _Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        if self._own is not None:
            self._own.close()

    def scan(self, parts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, Part]]:
        waiting: deque[tuple[_Worker, int, int]] = deque()
        for number, (start, stop) in enumerate(parts):
            worker = self._workers[number % len(self._workers)]
            worker.order(start, stop)
            waiting.append((worker, start, stop))
            if len(waiting) > _AHEAD * len(self._workers):
                yield self._collect(*waiting.popleft())
        while waiting:
            yield self._collect(*waiting.popleft())

    def _collect(self, worker: _Worker, start: int, stop: int) -> tuple[int, Part]:
        part = worker.answer()
        if part is None:  # it was killed, perhaps for memory: its work is done here
            self._own = self._own or Scanner(self._plan)
            part = self._own.scan(start, stop)
        return stop, part


class _Worker:
    def __init__(self, plan: Plan) -> None:
        code = [sys.executable, "-I", "-S", "-c", _START, json.dumps(sys.path), str(Path(__file__).parent)]
        self._process = subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._orders = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)
        self._alive = True
        self._send(_framed(msgspec.msgpack.encode(plan)))

    def order(self, start: int, stop: int) -> None:
        self._send(_ORDER.pack(start, stop))

    def _send(self, data: bytes) -> None:
        if self._alive:
            try:
                self._orders.write(data)
                self._orders.flush()
            except OSError:
                self._alive = False

    def answer(self) -> Part | None:
        """What it saw; None when it is gone."""
        data = _unframed(self._answers) if self._alive else None
        self._alive = data is not None
        return _decode_part(data) if data is not None else None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._answers.close()
        try:
            self._orders.close()
        except OSError:  # an order that could not be sent any more
            self._alive = False


_decode_part = msgspec.msgpack.Decoder(Part).decode


def _framed(data: bytes) -> bytes:
    return _SIZE.pack(len(data)) + data


def _unframed(stream: BinaryIO) -> bytes | None:
    """The next message of a stream, None at its end."""
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    size: int = _SIZE.unpack(head)[0]
    data = stream.read(size)
    return data if len(data) == size else None


def work(orders: BinaryIO, answers: BinaryIO) -> None:
    """A worker's life: a plan, then parts to scan, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for the answers
    plan = _unframed(orders)
    if plan is None:
        return
    scanner = Scanner(msgspec.msgpack.decode(plan, type=Plan))
    encode = msgspec.msgpack.Encoder().encode
    while len(order := orders.read(_ORDER.size)) == _ORDER.size:
        data = encode(scanner.scan(*_ORDER.unpack(order)))
        try:
            answers.write(_SIZE.pack(len(data)))
            answers.write(data)
            answers.flush()
        except BrokenPipeError:
            return

"""Who scans the parts of a file: this process, or a crew of workers beside it.

A worker is a bare interpreter of its own that reads its orders from a pipe and writes what it saw to
another. So it needs no fork, may be started from any process or thread, and ends by itself as soon as the
process that started it is gone. Answers come back in the order of the orders.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import msgspec

from tuning.datasets.lines import CHUNK
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
    """How many workers beside this process a file of ``size`` bytes is worth."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores - 1, MOST_WORKERS) if size >= PARALLEL_FROM and os.name == "posix" else 0


def scan(
    plan: Plan, parts: Iterable[tuple[int, int]], workers: int
) -> Generator[tuple[int, Part], None, None]:
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
    """Some workers, and this process as the one more that helps out while all of them are busy."""

    def __init__(self, plan: Plan, workers: int) -> None:
        self._workers = [_Worker(plan) for _ in range(workers)]
        self._own = Scanner(plan)

    def __enter__(self) -> _Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._own.close()

    def scan(self, parts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, Part]]:
        waiting: deque[_Order] = deque()
        for start, stop in parts:
            while waiting and (len(waiting) > self._most or waiting[0].is_done()):
                yield self._collect(waiting.popleft())
            worker = min(self._workers, key=lambda worker: worker.orders)
            if worker.orders < _AHEAD:
                worker.order(start, stop)
                waiting.append(_Order(start, stop, worker))
            else:
                waiting.append(_Order(start, stop, None, self._own.scan(start, stop)))
        while waiting:
            yield self._collect(waiting.popleft())

    @property
    def _most(self) -> int:
        return (_AHEAD + 1) * len(self._workers)

    def _collect(self, order: _Order) -> tuple[int, Part]:
        part = order.part if order.worker is None else order.worker.answer()
        if part is None:  # the worker was killed, perhaps for memory: its work is done here
            part = self._own.scan(order.start, order.stop)
        return order.stop, part


@dataclass(slots=True)
class _Order:
    """A part somebody scans; without a worker it is scanned already."""

    start: int
    stop: int
    worker: _Worker | None
    part: Part | None = None

    def is_done(self) -> bool:
        return self.worker is None or self.worker.has_answered()


class _Worker:
    def __init__(self, plan: Plan) -> None:
        code = [sys.executable, "-I", "-S", "-c", _START, json.dumps(sys.path), str(Path(__file__).parent)]
        self._process = subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._input = cast("BinaryIO", self._process.stdin)
        self._output = cast("BinaryIO", self._process.stdout)
        _widen(self._output)
        self._alive = True
        self.orders = 0
        self._send(_framed(msgspec.msgpack.encode(plan)))

    def order(self, start: int, stop: int) -> None:
        self.orders += 1
        self._send(_ORDER.pack(start, stop))

    def _send(self, data: bytes) -> None:
        if self._alive:
            try:
                self._input.write(data)
            except OSError:
                self._alive = False

    def has_answered(self) -> bool:
        """True when reading the next answer will not take long."""
        return not self._alive or bool(select.select([self._output], [], [], 0)[0])

    def answer(self) -> Part | None:
        """What it saw in the oldest part it was given; None when it is gone."""
        self.orders -= 1
        data = _unframed(self._output) if self._alive else None
        self._alive = data is not None
        return _decode_part(data) if data is not None else None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()


_decode_part = msgspec.msgpack.Decoder(Part).decode


def _widen(pipe: BinaryIO) -> None:
    """Let a whole answer wait in the pipe where the system can, so that its writer goes on."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK)
        except OSError:  # not allowed more: slower, not wrong
            return


def _framed(data: bytes) -> bytes:
    return _SIZE.pack(len(data)) + data


def _unframed(stream: BinaryIO) -> bytearray | None:
    """The next message of a stream, None at its end."""
    head = _exactly(stream, _SIZE.size)
    return _exactly(stream, _SIZE.unpack(head)[0]) if head is not None else None


def _exactly(stream: BinaryIO, size: int) -> bytearray | None:
    data = bytearray(size)
    view, filled = memoryview(data), 0
    into = cast("RawIOBase", stream).readinto
    while filled < size:
        read = into(view[filled:])
        if not read:
            return None
        filled += read
    return data


def work(orders: BinaryIO, answers: BinaryIO) -> None:
    """A worker's life: a plan, then parts to scan, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for the answers
    plan = _unframed(orders)
    if plan is None:
        return
    scanner = Scanner(msgspec.msgpack.decode(plan, type=Plan))
    encode = msgspec.msgpack.Encoder().encode
    while (order := _exactly(orders, _ORDER.size)) is not None:
        data = encode(scanner.scan(*_ORDER.unpack(order)))
        try:
            answers.write(_SIZE.pack(len(data)))
            answers.write(data)
            answers.flush()
        except BrokenPipeError:
            return

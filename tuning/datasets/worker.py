"""A process beside this one that works on parts of a file: orders come over a pipe, answers go over another.

Where this process has one thread, a worker is a fork of it: at work at once, its memory shared. Otherwise it
is a bare interpreter of its own, which may be started from any process or thread. Either ends by itself as
soon as the process that started it is gone, and answers in the order of its orders.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, Generic, NamedTuple, TypeVar, cast

import msgspec

from tuning.datasets.lines import CHUNK

_SIZE = struct.Struct("<Q")
_ORDER = struct.Struct("<QQ")
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_KEPT = 64 << 20

Answer = TypeVar("Answer", bound=msgspec.Struct)
Hand = Callable[[int, int], msgspec.Struct]
"""Does what is to be done with the bytes of a file between two places."""


class Job(NamedTuple, Generic[Answer]):
    """What workers do: ``hand(plan)`` of ``module`` makes their :data:`Hand`; it gives ``answer`` records."""

    module: str
    plan: msgspec.Struct
    answer: type[Answer]

    def hand(self) -> Callable[[int, int], Answer]:
        """A hand in this very process."""
        return cast("Callable[[int, int], Answer]", _hand(self.module, msgspec.msgpack.encode(self.plan)))


def _hand(module: str, plan: bytes | bytearray) -> Hand:
    return importlib.import_module(module).hand(plan)


class Worker(Generic[Answer]):
    """One worker; ``others`` are those this process has already."""

    def __init__(self, job: Job[Answer], others: Sequence[Worker[Answer]] = ()) -> None:
        self._process: _Fork | subprocess.Popen[bytes]
        if _may_fork():
            self._process = _Fork([pipe for other in others for pipe in (other._input, other._output)])
        else:
            self._process = _bare()
        self._input = cast("BinaryIO", self._process.stdin)
        self._output = cast("BinaryIO", self._process.stdout)
        _widen(self._output)
        self._decode = msgspec.msgpack.Decoder(job.answer).decode
        self._alive = True
        self._buffer = bytearray()
        self.orders = 0
        self._send(_framed(job.module.encode()) + _framed(msgspec.msgpack.encode(job.plan)))

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def order(self, start: int, stop: int) -> None:
        """Have a part worked on."""
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

    def answer(self) -> Answer | None:
        """What came of the oldest part it was given; None when it is gone."""
        self.orders -= 1
        head = _exactly(self._output, _SIZE.size) if self._alive else None
        data = self._filled(*_SIZE.unpack(head)) if head is not None else None
        self._alive = data is not None
        return self._decode(data) if data is not None else None

    def _filled(self, size: int) -> memoryview | None:
        """The next bytes of the pipe, in memory that is used again for the next answer."""
        if len(self._buffer) < size:
            self._buffer = bytearray(size + size // 8)
        view = memoryview(self._buffer)[:size]
        return view if _fill(self._output, view) else None

    def end(self) -> None:
        """Stop it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()


# --- two ways to start -------------------------------------------------------------------------------
def _may_fork() -> bool:
    """A fork has one thread: with others here, it could wait for ever for what one of them held."""
    return sys.platform == "linux" and threading.active_count() == 1


class _Fork:
    """A fork of this process at work, with the part of ``subprocess.Popen`` that is needed."""

    def __init__(self, not_its: Sequence[BinaryIO]) -> None:
        orders, self.stdin = _pipe()
        self.stdout, answers = _pipe()
        with warnings.catch_warnings():  # numpy keeps threads, which it ends for a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid:
            orders.close()
            answers.close()
            self._ended = False
            return
        try:
            gc.freeze()
            for pipe in (self.stdin, self.stdout, *not_its):
                pipe.close()
            work(orders, answers)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
        finally:  # what the process it is a fork of would do at its end is not for it to do
            os._exit(0)

    def kill(self) -> None:
        """As ``Popen.kill``."""
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """As ``Popen.wait``."""
        if not self._ended:
            os.waitpid(self.pid, 0)
            self._ended = True


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reader, writer = os.pipe()
    return os.fdopen(reader, "rb", 0), os.fdopen(writer, "wb", 0)


# The package's front door loads much that a worker has no use for, so a worker comes in without it.
_START = """
import sys, types, json
sys.path[:] = json.loads(sys.argv[1])
package = sys.modules["tuning.datasets"] = types.ModuleType("tuning.datasets")
package.__path__ = [sys.argv[2]]
from tuning.datasets.worker import work
work(sys.stdin.buffer.raw, sys.stdout.buffer.raw)
"""


def _bare() -> subprocess.Popen[bytes]:
    code = [sys.executable, "-I", "-S", "-c", _START, json.dumps(sys.path), str(Path(__file__).parent)]
    return subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


# --- its life ----------------------------------------------------------------------------------------
def work(orders: BinaryIO, answers: BinaryIO) -> None:
    """A worker's life: a job, then parts to work on, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for the answers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _keep_memory()
    module, plan = _unframed(orders), _unframed(orders)
    if module is None or plan is None:
        return
    hand = _hand(module.decode(), plan)
    encode = msgspec.msgpack.Encoder().encode
    while (order := _exactly(orders, _ORDER.size)) is not None:
        data = encode(hand(*_ORDER.unpack(order)))
        try:
            for piece in (_SIZE.pack(len(data)), data):
                _write(answers, piece)
        except BrokenPipeError:
            return


def _keep_memory() -> None:
    """Have glibc keep freed memory, which is needed again for the next part; elsewhere nothing."""
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _KEPT)
        set_option(_TRIM_THRESHOLD, _KEPT)


# --- messages ----------------------------------------------------------------------------------------
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


def _write(stream: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[cast("RawIOBase", stream).write(view) :]


def _unframed(stream: BinaryIO) -> bytearray | None:
    """The next message of a stream, None at its end."""
    head = _exactly(stream, _SIZE.size)
    return _exactly(stream, _SIZE.unpack(head)[0]) if head is not None else None


def _exactly(stream: BinaryIO, size: int) -> bytearray | None:
    data = bytearray(size)
    return data if _fill(stream, memoryview(data)) else None


def _fill(stream: BinaryIO, view: memoryview) -> bool:
    """Read as much as ``view`` holds; False when the stream ends before."""
    into = cast("RawIOBase", stream).readinto
    while view:
        read = into(view)
        if not read:
            return False
        view = view[read:]
    return True

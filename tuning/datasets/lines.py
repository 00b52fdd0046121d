"""Physical lines of a file, read as a stream of bytes.

Only ``\\n``, ``\\r\\n`` and a lone ``\\r`` end a line. U+2028, U+2029, U+0085 and the like may stand
inside a JSON string (RFC 8259, section 7) and end nothing here, unlike with ``str.splitlines``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, cast

CHUNK = 1 << 20
MAX_LINE = 160 << 20
"""Bytes of the longest line that is read: ten images of 10 MB as base64, and text beside them."""

BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One physical line: 1-based number, bytes without the ending, offset in the file, the ending.

    ``data`` is None when the line is longer than :data:`MAX_LINE`; its bytes were let go.
    """

    number: int
    data: bytes | None
    offset: int
    ending: bytes


class _Splitter:
    """Keeps what is left of a line between two chunks; a held ``\\r`` waits for its ``\\n``."""

    def __init__(self, max_line: int) -> None:
        self.max_line = max_line
        self.number = 0
        self.offset = 0
        self.pieces: list[bytes] = []
        self.size = 0
        self.held = False

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= self.max_line:
            self.pieces.append(piece)
        else:
            self.pieces.clear()

    def take(self, ending: bytes) -> Line:
        data = b"".join(self.pieces) if self.size <= self.max_line else None
        self.number += 1
        line = Line(self.number, data, self.offset, ending)
        self.offset += self.size + len(ending)
        self.pieces.clear()
        self.size = 0
        return line

    def feed(self, chunk: bytes) -> Iterator[Line]:
        if self.held:
            self.held = False
            after_newline = chunk.startswith(b"\n")
            yield self.take(b"\r\n" if after_newline else b"\r")
            chunk = chunk[1:] if after_newline else chunk
        parts = chunk.splitlines(keepends=True)
        last = len(parts) - 1
        for index, part in enumerate(parts):
            if part.endswith(b"\n"):
                ending = b"\r\n" if part.endswith(b"\r\n") else b"\n"
            elif part.endswith(b"\r"):
                ending = b"\r"
            else:
                self.add(part)
                continue
            self.add(part[: -len(ending)])
            if ending == b"\r" and index == last:
                self.held = True
            else:
                yield self.take(ending)

    def finish(self) -> Iterator[Line]:
        if self.held:
            yield self.take(b"\r")
        elif self.size:
            yield self.take(b"")


def physical_lines(
    stream: BinaryIO, on_chunk: Callable[[bytes], object] | None = None, *, max_line: int = MAX_LINE
) -> Iterator[Line]:
    """Yield the lines of ``stream``; ``on_chunk`` sees every chunk once, in order (for a hash)."""
    splitter = _Splitter(max_line)
    while chunk := stream.read(CHUNK):
        if on_chunk is not None:
            on_chunk(chunk)
        yield from splitter.feed(chunk)
    yield from splitter.finish()


class _Window:
    """The next ``size`` bytes of a stream, as a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


def lines_between(stream: BinaryIO, start: int, stop: int) -> Iterator[Line]:
    """The lines between two places of a stream, counted from 1; offsets too begin anew."""
    stream.seek(start)
    yield from physical_lines(cast("BinaryIO", _Window(stream, stop - start)))


def line_text(line: Line) -> bytes:
    """The bytes of a line without a mark at the file's start and without blanks around; may be empty."""
    data = line.data or b""
    if line.number == 1:
        data = data.removeprefix(BOM)
    return data.strip(b" \t\n\r")


_WINDOW = 1 << 14


def parts(stream: BinaryIO, *, size: int = CHUNK) -> Iterator[tuple[int, int]]:
    """Offsets of runs of whole lines, about ``size`` bytes each; together the whole stream.

    A run with a line longer than ``size`` is longer. Little more than the ends of the runs is read.
    """
    total, start = stream.seek(0, io.SEEK_END), 0
    while start < total:
        stop = _last_end(stream, start, min(start + size, total)) if start + size < total else total
        stop = stop or _next_end(stream, start + size, total)
        yield start, stop
        start = stop


def _last_end(stream: BinaryIO, start: int, stop: int) -> int:
    """The end of the last line that ends before ``stop``; 0 if there is none after ``start``."""
    for ending in (b"\n", b"\r"):
        end = stop
        while end > start:
            begin = max(start, end - _WINDOW)
            stream.seek(begin)
            window = stream.read(end - begin)
            # A CR at the very end may be followed by its LF.
            cut = window.rfind(ending, 0, len(window) - (ending == b"\r" and end == stop)) + 1
            if cut:
                return begin + cut
            end = begin
    return 0


def _next_end(stream: BinaryIO, place: int, total: int) -> int:
    """The end of the line that ``place`` is in."""
    stream.seek(place)
    while window := stream.read(_WINDOW):
        ends = [cut for cut in (window.find(b"\n"), window.find(b"\r")) if cut >= 0]
        if ends:
            stream.seek(place + min(ends))
            return place + min(ends) + (2 if stream.read(2) == b"\r\n" else 1)
        place += len(window)
    return total

"""A file in pieces that end with a line, each to be read by a process of its own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tuning.datasets.lines import CHUNK, Line, physical_lines

PIECE = 8 << 20
"""Bytes of a piece, more when a line is longer."""


def pieces(path: Path, size: int = PIECE) -> Iterator[tuple[int, int]]:
    """Start and end of each piece of ``path``; every piece but the last ends with LF. Raises ``OSError``."""
    with path.open("rb") as stream:
        total = stream.seek(0, io.SEEK_END)
        start = 0
        while start < total:
            end = _line_end(stream, start + size, total)
            yield start, end
            start = end


def _line_end(stream: BinaryIO, place: int, total: int) -> int:
    stream.seek(min(place, total))
    while chunk := stream.read(CHUNK):
        found = chunk.find(b"\n")
        if found >= 0:
            return stream.tell() - len(chunk) + found + 1
    return total


class _Window(io.RawIOBase):
    """The bytes of a stream up to ``end``."""

    def __init__(self, stream: BinaryIO, start: int, end: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = end - start
        stream.seek(start)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data


def piece_lines(path: Path, start: int, end: int) -> Iterator[Line]:
    """The lines of one piece, counted from 1 in it; offsets too are those in the piece."""
    with path.open("rb") as stream:
        yield from physical_lines(_Window(stream, start, end))  # pyright: ignore[reportArgumentType]

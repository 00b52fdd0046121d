"""Numbers that stand more than once among very many: in memory at first, on disk beyond a size."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator, Sequence
from typing import BinaryIO

IN_MEMORY = 250_000
"""Pairs held before they go to disk; each weighs 16 bytes here and some 80 while they are compared."""
_PARTS = 64


class Repeats:
    """Takes fingerprints with their lines, in order; tells in the end which lines repeat an earlier one."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._prints = array("Q")
        self._lines = array("Q")
        self._files: list[BinaryIO] = []
        self.taken = 0

    def extend(self, prints: array[int], lines: array[int]) -> None:
        """Take fingerprints and the line each stands in."""
        self._prints.extend(prints)
        self._lines.extend(lines)
        self.taken += len(prints)
        if len(self._prints) > self._in_memory:
            self._spill()

    def _spill(self) -> None:
        """Every fingerprint has one file it belongs to, so that equal ones meet there."""
        if not self._files:
            self._files = [tempfile.TemporaryFile() for _ in range(_PARTS)]  # noqa: SIM115
        parts = [array("Q") for _ in range(_PARTS)]
        for number, line in zip(self._prints, self._lines, strict=True):
            part = parts[number % _PARTS]
            part.append(number)
            part.append(line)
        for file, part in zip(self._files, parts, strict=True):
            file.write(part.tobytes())
        del self._prints[:], self._lines[:]

    def find(self) -> Iterator[int]:
        """Lines whose fingerprint stood before, in no promised order; to be called once."""
        if not self._files:
            yield from _repeated(zip(self._prints, self._lines, strict=True))
            return
        self._spill()
        for file in self._files:
            with file:
                file.seek(0)
                pairs = array("Q", file.read())
            yield from _repeated(zip(pairs[::2], pairs[1::2], strict=True))

    def close(self) -> None:
        """Let the files go."""
        for file in self._files:
            file.close()


def _repeated(pairs: zip[tuple[int, int]]) -> Iterator[int]:
    seen: set[int] = set()
    for number, line in pairs:
        if number in seen:
            yield line
        else:
            seen.add(number)


def in_order(numbers: array[int]) -> Sequence[int]:
    """``numbers`` sorted, without an object for each of very many."""
    if len(numbers) <= IN_MEMORY:
        return sorted(numbers)
    import numpy as np

    return memoryview(np.sort(np.frombuffer(numbers, np.uint64)).data).cast("B").cast("Q")

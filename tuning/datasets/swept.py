"""The plain rows that :mod:`tuning.datasets.sweeping` found in a part, and what is asked of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from tuning.datasets.quick import spelled

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

ROLES = ("", "system", "user", "assistant")
"""The roles of a row are one number, two bits each."""
_ODD_SHARE = 8
"""Runs of plain rows are long enough where fewer than one line in so many is none."""
_ESCAPES = {b'"': b'"', b"\\": b"\\", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
"""Escapes that every writer spells alike; a row with another one is looked at by itself."""


def _meant() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for second, byte in _ESCAPES.items():
        table[second[0]] = byte[0]
    return table


MEANT = _meant()
"""What an escape stands for, by its second byte; 0 where the escape is another one."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The lines of a part, and where the texts of its plain rows stand.

    ``begin``, ``end`` and ``plain`` have an entry a line; ``roles`` one a plain row, as has ``first`` (its
    first message) with one more for the end; ``start`` and ``stop`` one a message of a plain row (its text).
    """

    data: bytes
    begin: Places
    end: Places
    plain: Flags
    roles: list[int]
    first: Places
    start: Places
    stop: Places
    escapes: Places
    """Backslashes that begin an escape, anywhere."""
    spelled_out: bool

    def lines(self) -> int:
        """How many lines there are."""
        return len(self.plain)

    def odd(self) -> int:
        """How many lines are no plain row."""
        return len(self.plain) - len(self.roles)

    def runs(self) -> Iterator[tuple[slice, bytes | None]]:
        """Plain rows that follow one another, and the line after them that is none (not so at the end)."""
        row = 0
        odd = np.flatnonzero(~self.plain).tolist()
        for number, line in enumerate(odd):
            upto = line - number
            yield slice(row, upto), self.data[self.begin[line] : self.end[line]]
            row = upto
        yield slice(row, len(self.roles)), None

    def is_worth_it(self) -> bool:
        """True where going by runs is faster than going line by line."""
        return self.odd() * _ODD_SHARE <= self.lines()

    def has_backslashes(self) -> bool:
        """True when a text may hold a backslash."""
        letters = np.frombuffer(self.data, np.uint8)
        return bool((letters[np.minimum(self.escapes + 1, len(letters) - 1)] == 92).any())

    def texts(self, row: int) -> list[bytes]:
        """The texts of a plain row as they are written."""
        places = slice(self.first[row], self.first[row + 1])
        return self._cut(self.start[places], self.stop[places])

    def _cut(self, start: Places, stop: Places) -> list[bytes]:
        data = self.data
        return [data[begin:end] for begin, end in zip(start.tolist(), stop.tolist(), strict=True)]

    def prints(self) -> list[int]:
        """Fingerprints of all plain rows."""
        if self.spelled_out:
            rows = self._cut(self.begin[self.plain], self.end[self.plain])
        else:
            rows = [spelled(roles_of(roles), self.texts(row)) for row, roles in enumerate(self.roles)]
        return list(map(xxhash.xxh3_64_intdigest, rows))

    def prompts(self) -> list[bytes | None]:
        """The system prompt each plain row begins with, as it is written."""
        first = self._cut(self.start[self.first[:-1]], self.stop[self.first[:-1]])
        return [text if roles & 3 == 1 else None for roles, text in zip(self.roles, first, strict=True)]

    def clean(self) -> bytes:
        """``data`` with a NUL after each text; the second byte of an escape is what it stands for."""
        new = np.frombuffer(self.data, np.uint8).copy()
        new[self.stop] = 0
        if len(self.escapes) and len(self.start):
            at = np.maximum(np.searchsorted(self.start, self.escapes, "right") - 1, 0)
            second = self.escapes[(self.escapes >= self.start[at]) & (self.escapes < self.stop[at])] + 1
            new[second] = MEANT[new[second]]
        return new.tobytes()

    def blob(self, clean: bytes, kept: Places) -> bytes:
        """The texts of the messages ``kept``, in order, with a NUL between any two."""
        start, stop = self.start[kept], self.stop[kept] + 1
        if len(self.escapes) and len(kept):
            escapes = self.escapes[slice(*np.searchsorted(self.escapes, (start[0], stop[-1])))]
            at = np.searchsorted(start, escapes, "right") - 1
            inside = escapes[escapes < stop[at]]
            start = np.sort(np.concatenate((start, inside + 1)))
            stop = np.sort(np.concatenate((stop, inside)))
        pieces = [clean[begin:end] for begin, end in zip(start.tolist(), stop.tolist(), strict=True)]
        return b"".join(pieces)[:-1]


class SeenRows:
    """What a check keeps of the plain rows of a sweep, one entry each."""

    def __init__(self, swept: Swept) -> None:
        self.swept = swept
        self.prints = swept.prints()
        written = swept.prompts()
        counts = Counter(written)
        read = {prompt: unescaped(prompt) if prompt is not None else None for prompt in counts}
        self.prompts = [read[prompt] for prompt in written]
        self.shared = [read[prompt] if counts[prompt] > 1 else None for prompt in written]
        """System prompts that other rows have too."""
        self._clean: bytes | None = None

    def blob(self, rows: slice) -> tuple[bytes, Places, Places]:
        """The texts of ``rows`` but for what they share, a NUL between any two; texts and messages each."""
        first = self.swept.first[rows.start : rows.stop + 1]
        messages = first[1:] - first[:-1]
        apart = np.array([prompt is not None for prompt in self.shared[rows]], bool)
        keep = np.ones(first[-1] - first[0], bool)
        keep[first[:-1][apart] - first[0]] = False
        if self._clean is None:
            self._clean = self.swept.clean()
        return self.swept.blob(self._clean, first[0] + np.flatnonzero(keep)), messages - apart, messages


@lru_cache(maxsize=4096)
def roles_of(number: int) -> tuple[str, ...]:
    """The roles that a number of :class:`Swept` stands for."""
    roles: list[str] = []
    while number:
        roles.append(ROLES[number & 3])
        number >>= 2
    return tuple(roles)


def unescaped(text: bytes) -> str:
    """A text as it is written in a plain row, read."""
    return orjson.loads(b'"' + text + b'"') if b"\\" in text else text.decode()

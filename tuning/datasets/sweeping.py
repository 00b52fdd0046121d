"""Plain chat rows by the thousand: what :mod:`tuning.datasets.quick` asks of one row, asked of a whole part.

A row that is written as ``json.dumps`` or a compact writer does has the same bytes between its texts as any
other. So the places of quotes, backslashes and line ends say where everything stands, and comparing the
bytes between the texts with those expected proves the structure, without an object for each value. A row
that is anything else, or that a rule might have a word about, is left to :func:`quick.look`; tests hold
the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from tuning.datasets.parsing import LARGE
from tuning.datasets.quick import are_fine, spelled

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

ROLES = ("", "system", "user", "assistant")
MOST_MESSAGES = 31
"""The roles of a row are one number, two bits each."""
_ROLE_BITS = 2 * np.arange(MOST_MESSAGES, dtype=np.uint64)
_TAIL = b'"}]}'
_SEPARATORS = ("\u2028", "\u2029", "\x85")
_ESCAPES = {b'"': b'"', b"\\": b"\\", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
"""Escapes that every writer spells alike; a row with another one is looked at by itself."""


def _table(values: dict[bytes, bytes]) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for key, value in values.items():
        table[key[0]] = value[0]
    return table


_UNESCAPED = _table(_ESCAPES)
_MAY_BE_SPACE = _table({bytes([first]): b"\1" for first in b' \\"\xc2\xe1\xe2\xe3'}) > 0
"""First bytes of a text that is perhaps nothing but white space, or empty."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """The bytes around the texts: up to the first role, from text to role, from role to text."""

    head: bytes
    between: bytes
    middle: bytes


_LAYOUTS = (
    _Layout(b'{"messages": [{"role": "', b'"}, {"role": "', b'", "content": "'),
    _Layout(b'{"messages":[{"role":"', b'"},{"role":"', b'","content":"'),
)


@dataclass(slots=True)
class Swept:
    """The lines of a part, and where the texts of its plain rows stand.

    ``plain`` has an entry a line. The other arrays have one a plain row (``roles``, ``first``: its first
    message, and one more for the end) or one a message of a plain row (``start``, ``stop``: its text).
    """

    data: bytes
    begin: Places
    end: Places
    plain: Flags
    roles: Sequence[int]
    first: Places
    start: Places
    stop: Places
    escapes: Places
    spelled_out: bool

    def texts(self, row: int) -> list[bytes]:
        """The texts of a plain row as they are written."""
        places = slice(self.first[row], self.first[row + 1])
        bounds = zip(self.start[places].tolist(), self.stop[places].tolist(), strict=True)
        return [self.data[start:stop] for start, stop in bounds]

    def prints(self) -> list[int]:
        """Fingerprints of all plain rows."""
        digest, data = xxhash.xxh3_64_intdigest, self.data
        if self.spelled_out:
            bounds = zip(self.begin[self.plain].tolist(), self.end[self.plain].tolist(), strict=True)
            return [digest(data[start:stop]) for start, stop in bounds]
        return [digest(spelled(roles_of(roles), self.texts(row))) for row, roles in enumerate(self.roles)]

    def prompts(self) -> list[bytes | None]:
        """The system prompt each plain row begins with, as it is written."""
        first = self.first[:-1]
        bounds = zip(self.roles, self.start[first].tolist(), self.stop[first].tolist(), strict=True)
        return [self.data[start:stop] if roles & 3 == 1 else None for roles, start, stop in bounds]

    def blob(self, kept: Places) -> bytes:
        """The texts of the messages ``kept``, in order, with a NUL between any two."""
        start, stop = self.start[kept], self.stop[kept]
        new = np.frombuffer(self.data, np.uint8).copy()
        new[stop] = 0
        if len(self.escapes):
            at = np.searchsorted(start, self.escapes, "right") - 1
            inside = self.escapes[(at >= 0) & (self.escapes < stop[np.maximum(at, 0)])]
            new[inside + 1] = _UNESCAPED[new[inside + 1]]
            start = np.sort(np.concatenate((start, inside + 1)))
            stop = np.sort(np.concatenate((stop + 1, inside)))
        else:
            stop = stop + 1
        clean = new.tobytes()
        bounds = zip(start.tolist(), stop.tolist(), strict=True)
        return b"".join([clean[start:stop] for start, stop in bounds])[:-1]


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


def sweep(data: bytes) -> Swept | None:
    """The plain rows among the lines of ``data``, which holds no CR; None if there are none at first sight."""
    head = data[: 1 << 16]
    layout = next((layout for layout in _LAYOUTS if layout.head in head), None)
    if layout is None or len(data) < 64:
        return None
    return _Sweep(data, layout).swept()


class _Sweep:
    """The state of one sweep; ``fine`` has an entry a line, taken away whenever there is a doubt."""

    def __init__(self, data: bytes, layout: _Layout) -> None:
        self.data, self.layout = data, layout
        self.bytes = np.frombuffer(data, np.uint8)
        low, marks = self.bytes < 32, self.bytes == 34
        low |= marks
        low |= np.equal(self.bytes, 92, out=marks)
        special = low.nonzero()[0]
        values = self.bytes[special]
        newlines = special[values == 10]
        complete = len(newlines) and newlines[-1] == len(data) - 1
        self.end = newlines if complete else np.append(newlines, len(data))
        self.begin = np.concatenate(([0], newlines + 1))[: len(self.end)]
        self.fine = self.end - self.begin <= LARGE
        self._doubt(special[(values < 32) & (values != 10)])
        self.quotes, self.escapes = special[values == 34], special[:0]
        if len(backslashes := special[values == 92]):
            self._escapes(backslashes)

    def _doubt(self, places: Places) -> None:
        """Leave the rows at ``places`` to others."""
        if len(places):
            self.fine[np.searchsorted(self.end, places)] = False

    def _escapes(self, backslashes: Places) -> None:
        """Which backslashes begin an escape, and which quotes are text."""
        number = np.arange(len(backslashes))
        goes_on = np.diff(backslashes, prepend=-2) == 1
        rank = number - np.maximum.accumulate(np.where(goes_on, 0, number))
        self.escapes = backslashes[rank % 2 == 0]
        escaped = self.bytes[np.minimum(self.escapes + 1, len(self.data) - 1)]
        self._doubt(self.escapes[_UNESCAPED[escaped] == 0])
        in_text = self.escapes[escaped == 34] + 1
        keep = np.ones(len(self.quotes), bool)
        keep[np.searchsorted(self.quotes, in_text)] = False
        self.quotes = self.quotes[keep]

    def swept(self) -> Swept:
        upto = np.searchsorted(self.quotes, np.append(self.begin, len(self.data)))
        counts = np.diff(upto)
        self.fine &= (counts > 2) & (counts % 8 == 2) & (counts <= 2 + 8 * MOST_MESSAGES)
        self._structure(upto, counts)
        self._control_tokens()
        self._words()
        return self._result()

    # --- structure -------------------------------------------------------------------------------
    def _structure(self, upto: Places, counts: Places) -> None:
        """Compare the bytes between the texts, and keep where the texts stand."""
        rows = np.flatnonzero(self.fine)
        messages = counts[rows] // 8
        self.row = np.repeat(rows, messages)
        self.first = np.concatenate(([0], np.cumsum(messages)))
        within = np.arange(len(self.row)) - np.repeat(self.first[:-1], messages)
        quote = np.repeat(upto[rows] + 2, messages) + 8 * within
        role, self.stop = self.quotes[quote + 2] + 1, self.quotes[quote + 7]
        self.start = self.quotes[quote + 6] + 1
        after = self.quotes[quote + 3]
        leads = within == 0
        good = self._says(after, self.layout.middle) & (self.start == after + len(self.layout.middle))
        previous = np.concatenate(([0], self.stop[:-1]))
        good &= leads | self._says(previous, self.layout.between)
        good &= leads | (role == previous + len(self.layout.between))
        good[self.first[:-1]] &= self._says(self.begin[rows], self.layout.head)
        good[self.first[:-1]] &= role[self.first[:-1]] == self.begin[rows] + len(self.layout.head)
        ends = self.stop[self.first[1:] - 1]
        good[self.first[1:] - 1] &= (ends + 4 == self.end[rows]) & self._ends_row(ends)
        self.fine[self.row[~good]] = False
        self.roles = self._roles(role, after - role, within)
        self.rows = rows

    def _says(self, places: Places, text: bytes) -> Flags:
        """True where ``text``, of at least eight bytes, stands."""
        last = len(self.data) - 8
        windows = np.ndarray((last + 1,), "<u8", self.data, strides=(1,))
        says = places + len(text) <= len(self.data)
        for offset in (*range(0, len(text) - 8, 8), len(text) - 8):
            wanted = np.uint64(int.from_bytes(text[offset : offset + 8], "little"))
            says &= windows[np.minimum(places + offset, last)] == wanted
        return says

    def _ends_row(self, places: Places) -> Flags:
        windows = np.ndarray((len(self.data) - 3,), "<u4", self.data, strides=(1,))
        last = len(self.data) - 4
        return windows[np.minimum(places, last)] == np.uint32(int.from_bytes(_TAIL, "little"))

    def _roles(self, role: Places, length: Places, within: Places) -> NDArray[np.uint64]:
        """A number for the roles of each row; rows with another role are in doubt."""
        which = (length == 6) * (self._says(role - 2, b'"system"'[:1].rjust(2) + b"system") * 0 + 1)
        return which

    def _control_tokens(self) -> None: ...
    def _words(self) -> None: ...
    def _result(self) -> Swept: ...

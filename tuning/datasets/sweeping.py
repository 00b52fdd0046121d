"""Plain chat rows by the thousand: what :mod:`tuning.datasets.quick` asks of one row, asked of a whole part.

A row that is written as ``json.dumps`` or a compact writer does has the same bytes between its texts as any
other. So the places of quotes, backslashes and line ends say where everything stands, and comparing the
bytes between the texts with those expected proves the structure, without an object for each value. A row
that is anything else, or that a rule might have a word about, is left to :func:`quick.look`; tests hold
the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuning.datasets.parsing import LARGE
from tuning.datasets.quick import are_fine
from tuning.datasets.swept import MEANT, ROLES, Flags, Places, Swept, roles_of, unescaped

BLOCK = 3 << 19
"""Bytes that are swept at once: a part of a file and a long line more."""
_STRIP = 1 << 17
MOST_MESSAGES = 31
"""As many roles fit into one number."""
_TAIL = b'"}]}'
_HIGH_BITS = np.uint64(0x8080808080808080)
_MAY_BE_SPACE = np.isin(np.arange(256), list(b' \\"\xc2\xe1\xe2\xe3'))
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


class Sweeper:
    """Sweeps block after block of at most :data:`BLOCK` bytes; for one thread, as it keeps its memory."""

    def __init__(self) -> None:
        self._special = np.empty(BLOCK, bool)
        self._one = np.empty(_STRIP, bool)
        self._words = np.empty(BLOCK // 8, np.uint64)

    def sweep(self, data: bytes) -> Swept | None:
        """The plain rows among the lines of ``data``, which holds no CR; None where there seem to be none."""
        head = data[: 1 << 16]
        layout = next((layout for layout in _LAYOUTS if layout.head in head), None)
        if layout is None or not 64 <= len(data) <= BLOCK:
            return None
        sweep = _Sweep(data, layout, self._special_places(data))
        return sweep.swept(None if data.isascii() else self._high_places(data))

    def _special_places(self, data: bytes) -> Places:
        """Places of control characters, quotes and backslashes."""
        letters, special = np.frombuffer(data, np.uint8), self._special[: len(data)]
        for start in range(0, len(data), _STRIP):  # strip by strip, to stay in the processor's cache
            strip, to = letters[start : start + _STRIP], special[start : start + _STRIP]
            one = self._one[: len(strip)]
            np.less(strip, 32, out=to)
            np.equal(strip, 34, out=one)
            np.logical_or(to, one, out=to)
            np.equal(strip, 92, out=one)
            np.logical_or(to, one, out=to)
        return special.nonzero()[0]

    def _high_places(self, data: bytes) -> Places:
        """Places, each a multiple of eight, from which a byte of the next eight is no ASCII."""
        whole = len(data) // 8
        high = np.bitwise_and(np.frombuffer(data, np.uint64, whole), _HIGH_BITS, out=self._words[:whole])
        return np.append(high.nonzero()[0], whole) * 8


class _Sweep:
    """The state of one sweep; ``fine`` has an entry a line, taken away whenever there is a doubt."""

    def __init__(self, data: bytes, layout: _Layout, special: Places) -> None:
        self.data, self.layout = data, layout
        self.bytes = np.frombuffer(data, np.uint8)
        values = self.bytes[special]
        newlines = special[values == 10]
        complete = len(newlines) and newlines[-1] == len(data) - 1
        self.end = newlines if complete else np.append(newlines, len(data))
        self.begin = np.zeros(len(self.end), np.int64)
        self.begin[1:] = self.end[:-1] + 1
        self.fine = self.end - self.begin <= LARGE
        self.quotes = special[values == 34]
        backslashes = special[values == 92]
        self.escapes = backslashes
        if len(values) > len(newlines) + len(self.quotes) + len(backslashes):
            self._doubt(special[(values < 32) & (values != 10)])
        if len(backslashes):
            self._escapes(backslashes)

    def _doubt(self, places: Places) -> None:
        """Leave the rows at ``places`` to others."""
        if len(places):
            self.fine[np.searchsorted(self.end, places)] = False

    def _escapes(self, backslashes: Places) -> None:
        """Which backslashes begin an escape, and which quotes are text."""
        goes_on = backslashes[1:] == backslashes[:-1] + 1
        if goes_on.any():
            number = np.arange(len(backslashes))
            number[1:][goes_on] = 0
            rank = np.arange(len(backslashes)) - np.maximum.accumulate(number)
            self.escapes = backslashes[rank % 2 == 0]
        escaped = self.bytes[np.minimum(self.escapes + 1, len(self.data) - 1)]
        self._doubt(self.escapes[MEANT[escaped] == 0])
        in_text = self.escapes[escaped == 34] + 1
        if len(in_text):
            keep = np.ones(len(self.quotes), bool)
            keep[np.searchsorted(self.quotes, in_text)] = False
            self.quotes = self.quotes[keep]

    def swept(self, high: Places | None) -> Swept:
        """Ask everything, in the order in which one answer builds on another."""
        upto = np.searchsorted(self.quotes, np.append(self.begin, len(self.data)))
        counts = upto[1:] - upto[:-1]
        self.fine &= (counts > 2) & (counts % 8 == 2) & (counts <= 2 + 8 * MOST_MESSAGES)
        self._structure(upto, counts)
        if b"|" in self.data:
            bars = (self.bytes == 124).nonzero()[0]
            self._doubt(bars[self.bytes[bars - 1] == 60])
        self._white_space()
        if high is not None:
            self._letters(high)
        return self._result()

    # --- structure -------------------------------------------------------------------------------
    def _structure(self, upto: Places, counts: Places) -> None:
        """Compare the bytes between the texts, and keep where the texts stand."""
        self.rows = rows = np.flatnonzero(self.fine)
        messages = counts[rows] // 8
        self.first = _sums(messages)
        self.row = np.repeat(rows, messages)
        within = np.arange(len(self.row)) - np.repeat(self.first[:-1], messages)
        quote = np.repeat(upto[rows] + 2, messages) + 8 * within
        role, after = self.quotes[quote + 2] + 1, self.quotes[quote + 3]
        self.start, self.stop = self.quotes[quote + 6] + 1, self.quotes[quote + 7]
        layout, begins, ends = self.layout, self.first[:-1], self.first[1:] - 1
        good = self._stands(layout.middle, after, self.start)
        before = self._stands(layout.between, np.concatenate(([0], self.stop))[:-1], role)
        before[begins] = self._stands(layout.head, self.begin[rows], role[begins])
        last = self._stands(_TAIL, self.stop[ends], self.end[rows])
        which = self._roles(role, after)
        self.fine[self.row[~(good & before & (which > 0))]] = False
        self.fine[rows[~last]] = False
        self.roles = np.add.reduceat(which << (2 * within).astype(np.uint64), begins) if len(rows) else which
        for roles in np.unique(self.roles).tolist():
            if not are_fine(roles_of(roles)):
                self.fine[rows[self.roles == roles]] = False

    def _stands(self, text: bytes, start: Places, stop: Places) -> Flags:
        """Where ``text`` and nothing else stands from ``start`` to ``stop``."""
        size = min(len(text), 8)
        last = len(self.data) - size
        windows = np.ndarray((last + 1,), f"<u{size}", self.data, strides=(1,))
        stands = stop - start == len(text)
        for offset in (*range(0, len(text) - size, size), len(text) - size):
            wanted = int.from_bytes(text[offset : offset + size], "little")
            stands &= windows[np.minimum(start + offset, last)] == wanted
        return stands

    def _roles(self, start: Places, stop: Places) -> NDArray[np.uint64]:
        """The number of the role between two places, 0 for any other text."""
        which = np.zeros(len(start), np.uint64)
        for number, role in enumerate(ROLES[1:], 1):
            some = np.flatnonzero(stop - start == len(role))
            text = b'"' + role.encode() + self.layout.middle[:3]
            which[some[self._stands(text, start[some] - 1, stop[some] + 3)]] = number
        return which

    # --- texts -----------------------------------------------------------------------------------
    def _white_space(self) -> None:
        """Leave rows with a text of nothing but white space to others."""
        for place in np.flatnonzero(_MAY_BE_SPACE[self.bytes[self.start]]).tolist():
            text = self.data[self.start[place] : self.stop[place]]
            if self.fine[self.row[place]] and (not text or _is_space(text)):
                self.fine[self.row[place]] = False

    def _letters(self, high: Places) -> None:
        """Leave rows that are no UTF-8, or have a mark that some take for a line end, to others."""
        hit = np.searchsorted(high, self.start - 7) < np.searchsorted(high, self.stop)
        places = np.flatnonzero(hit & self.fine[self.row]).tolist()
        texts = [self.data[self.start[place] : self.stop[place]] for place in places]
        if not _is_clean(b"\0".join(texts)):
            wrong = [place for place, text in zip(places, texts, strict=True) if not _is_clean(text)]
            self.fine[self.row[wrong]] = False

    def _result(self) -> Swept:
        kept = self.fine[self.rows]
        messages = self.first[1:] - self.first[:-1]
        inside = np.repeat(kept, messages)
        return Swept(
            self.data,
            self.begin,
            self.end,
            self.fine,
            self.roles[kept].tolist(),
            _sums(messages[kept]),
            self.start[inside],
            self.stop[inside],
            self.escapes,
            self.layout is _LAYOUTS[0],
        )


def _sums(counts: Places) -> Places:
    """0, the first, the first two together …"""
    sums = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=sums[1:])
    return sums


def _is_space(text: bytes) -> bool:
    try:
        return unescaped(text).isspace()
    except ValueError:  # no UTF-8, or an escape that is in doubt for itself
        return True


def _is_clean(text: bytes) -> bool:
    try:
        letters = text.decode()
    except UnicodeDecodeError:
        return False
    return "\u2028" not in letters and "\u2029" not in letters and "\x85" not in letters

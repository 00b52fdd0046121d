"""Plain chat rows by the thousand: what :mod:`tuning.datasets.quick` asks of one row, asked of a whole part.

A row that is written as ``json.dumps`` or a compact writer does has the same bytes between its texts as any
other. So the places of quotes, backslashes and line ends say where everything stands, and comparing the
bytes between the texts with those expected proves the structure, without an object for each value. A row
that is anything else, or that a rule might have a word about, is left to :func:`quick.look`; tests hold
the two against each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from tuning.datasets.parsing import LARGE
from tuning.datasets.quick import are_fine, spelled

BLOCK = 3 << 19
"""Bytes that are swept at once: a part of a file and a long line more."""
_STRIP = 1 << 17
_ODD_SHARE = 8
"""Runs of plain rows are long enough where fewer than one line in so many is none."""

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

ROLES = ("", "system", "user", "assistant")
MOST_MESSAGES = 31
"""The roles of a row are one number, two bits each."""
_TAIL = b'"}]}'
_HIGH_BITS = np.uint64(0x8080808080808080)
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
            new[second] = _UNESCAPED[new[second]]
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
        self._doubt(self.escapes[_UNESCAPED[escaped] == 0])
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

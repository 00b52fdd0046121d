"""Repairs a whole file: its encoding, its line ends, one list or spread objects, and then row by row."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from tuning.datasets.decoding import HEAD, READABLE, Unreadable, as_text
from tuning.datasets.derived import Derived
from tuning.datasets.lines import MAX_LINE, Line, physical_lines
from tuning.datasets.parsing import parse_line
from tuning.datasets.repairing.changes import Changes
from tuning.datasets.repairing.reading import NAMES, Format
from tuning.datasets.repairing.rows import converted, mend
from tuning.datasets.repairing.tables import heading, table_rows
from tuning.datasets.sniffing import sniff_bytes, sniff_lines

_BOM = codecs.BOM_UTF8
_SPREAD = frozenset({"json_array", "pretty_printed"})


def repair_file(path: Path, out: Path, form: Format | None = None) -> tuple[Derived, Changes]:
    """Write the repaired copy; see :func:`tuning.datasets.repair`."""
    changes = Changes()
    with path.open("rb") as source:
        code = sniff_bytes(source.read(HEAD))
    if code not in READABLE:
        return _repaired(path, path, out, code, changes, form), changes
    try:
        with as_text(path, str(code)) as text:
            changes.add(str(code), 0, text.how)
            return _repaired(text.path, path, out, None, changes, form), changes
    except Unreadable:  # the check of the copy says what it is
        return _repaired(path, path, out, code, Changes(), form), Changes()


def _repaired(
    path: Path, source: Path, out: Path, code: str | None, changes: Changes, form: Format | None
) -> Derived:
    with path.open("rb") as stream, Derived(out, source) as derived:
        kind = _kind(stream) if code is None else None
        if kind in _SPREAD:
            _objects(stream, derived, changes, form)
        elif form is not None and (kind == "csv_file" or (kind == "plain_text" and _has_heading(stream))):
            _table(stream, derived, changes, form)
        else:
            _lines(stream, derived, changes, form, mending=code is None)
    return derived


def _kind(stream: BinaryIO) -> str | None:
    """The code of a file that is no JSON Lines (one list, spread objects, a table); the stream is rewound."""
    first: list[bytes] = []
    has_rows = False
    for line in physical_lines(stream, max_line=4 << 20):
        data = (line.data or b"").removeprefix(_BOM).strip()
        if data and not data.startswith((b"//", b"#")):
            has_rows = has_rows or isinstance(parse_line(data).value, dict)
            first.append(data[:HEAD])
        if len(first) >= 20:
            break
    stream.seek(0)
    return sniff_lines(first, has_rows=has_rows, has_objects=has_rows)


def _has_heading(stream: BinaryIO) -> bool:
    """Whether the first line names a column that a format is told by; the stream is rewound."""
    names = heading(next(physical_lines(stream, max_line=HEAD), None))
    stream.seek(0)
    return len(names) > 1 and bool(NAMES.intersection(name.lower() for name in names))


def _table(stream: BinaryIO, derived: Derived, changes: Changes, form: Format) -> None:
    for number, cells in table_rows(stream):
        made = converted(orjson.dumps(cells), cells, form)
        for code, words in made.done:
            changes.add(code, number, words)
        for line in made.lines:
            derived.write(line, number)


def _lines(
    stream: BinaryIO, derived: Derived, changes: Changes, form: Format | None, *, mending: bool
) -> None:
    for line in physical_lines(stream):
        _note_ending(line, changes)
        if line.data is None:
            raise ValueError(f"line {line.number:,} is too long to be repaired ({MAX_LINE >> 20} MB at most)")
        data = line.data
        if line.number == 1 and data.startswith(_BOM):
            data = data[len(_BOM) :]
            changes.add("bom", 1, "byte order mark taken off")
        if not data.strip(b" \t"):
            changes.add("blank_lines", line.number, "blank lines left out")
        elif mending:
            _mend(data.strip(b" \t"), data, line.number, derived, changes, form)
        else:
            derived.write(data, line.number)


def _note_ending(line: Line, changes: Changes) -> None:
    if line.ending == b"\r\n":
        changes.add("crlf", line.number, "Windows line ends made LF")
    elif line.ending == b"\r":
        changes.add("cr_line_endings", line.number, "old Mac line ends made LF")


def _mend(
    data: bytes, as_is: bytes, number: int, derived: Derived, changes: Changes, form: Format | None
) -> None:
    mended = mend(data, form=form)
    for code, words in mended.done:
        changes.add(code, number, words)
    for line in mended.lines if mended.done else [as_is]:
        derived.write(line, number)


# --- one list, or objects over several lines ----------------------------------------------------------
def _objects(stream: BinaryIO, derived: Derived, changes: Changes, form: Format | None) -> None:
    lines = (line for line in physical_lines(stream))
    for number, data in spread_objects(lines):
        parsed = parse_line(data)
        if parsed.ok:
            data = orjson.dumps(parsed.value)
            changes.add("pretty_printed", number, "each object written on one line")
        mended = mend(data, form=form)
        for code, words in mended.done:
            changes.add(code, number, words)
        for line in mended.lines:
            derived.write(line.replace(b"\r", b" ").replace(b"\n", b" "), number)


_OUTSIDE = re.compile(rb'["{}\[\]]|//|#')
_INSIDE = re.compile(rb'["\\]')


def spread_objects(lines: Iterable[Line]) -> Iterator[tuple[int, bytes]]:
    """Each top-level object with the line it begins on; what stands between objects is let go.

    An object that is never closed comes last, as it is. A text ends with its line at the latest.
    """
    scanner = _Scanner()
    for line in lines:
        yield from scanner.feed(line.number, line.data or b"")
    if scanner.kept:
        yield scanner.begun, b"".join(scanner.kept)


class _Scanner:
    def __init__(self) -> None:
        self.depth = 0
        self.begun = 0
        self.size = 0
        self.kept: list[bytes] = []

    def feed(self, number: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        data += b"\n"
        place, start, in_text = 0, 0, False
        while match := (_INSIDE if in_text else _OUTSIDE).search(data, place):
            mark, place = match[0], match.end()
            if in_text:
                place += mark == b"\\"
                in_text = mark == b"\\"
            elif mark == b'"':
                in_text = True
            elif mark in (b"//", b"#"):
                self.keep(data[start : match.start()])
                start = len(data)
                break
            elif mark in b"{[" and (self.depth or mark == b"{"):
                if not self.depth:
                    self.begun, start = number, match.start()
                self.depth += 1
            elif mark in b"}]" and self.depth:
                self.depth -= 1
                if not self.depth:
                    self.keep(data[start:place], closed=True)
                    yield self.begun, b"".join(self.kept)
                    self.kept.clear()
                    self.size = 0
        self.keep(data[start:])

    def keep(self, data: bytes, closed: bool = False) -> None:
        if self.depth or closed:
            self.size += len(data)
            if self.size > MAX_LINE:
                raise ValueError(f"the object that begins on line {self.begun:,} is too long to be repaired")
            self.kept.append(data)

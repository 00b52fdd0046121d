"""Writes a copy of a file with its private values replaced."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import orjson

from tuning.datasets.decoding import HEAD, READABLE, Unreadable, as_text
from tuning.datasets.derived import Derived
from tuning.datasets.linemap import LineMap
from tuning.datasets.lines import MAX_LINE, line_text, physical_lines
from tuning.datasets.looking import private_values
from tuning.datasets.parsing import parse_line
from tuning.datasets.privacy import Hit, scan, walk
from tuning.datasets.sniffing import sniff_bytes

_NAMES = {
    "secret": "SECRET",
    "payment_card": "CARD",
    "national_id": "ID",
    "email": "EMAIL",
    "phone": "PHONE",
    "ip_address": "IP",
}
_IN_MEMORY = 200_000


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a redaction did: values replaced a class, rows changed, and where each line came from."""

    counts: Mapping[str, int]
    rows_changed: int
    lines: LineMap
    sha256: str


def redact(path: Path, out: Path) -> Redaction:
    """Write ``path`` to ``out`` with every private value replaced by a placeholder such as ``[EMAIL_1]``.

    The same value has the same placeholder in the whole file. Rows without private values are copied byte
    for byte, lines that are no JSON have the placeholders in their text; a file in another encoding, or a
    packed one, comes out as UTF-8 text. Raises ``OSError``, and ``ValueError`` for a line of more than
    160 MB, for what cannot be read, or when ``out`` is ``path``.
    """
    with path.open("rb") as source:
        code = sniff_bytes(source.read(HEAD))
    if code not in READABLE:
        return _redact(path, path, out)
    try:
        with as_text(path, str(code)) as text:
            return _redact(text.path, path, out)
    except Unreadable as problem:
        raise ValueError(f"the file cannot be redacted: {problem}") from problem


def _redact(path: Path, source: Path, out: Path) -> Redaction:
    with path.open("rb") as stream, Derived(out, source) as derived, _Placeholders() as placeholders:
        changed = 0
        for line in physical_lines(stream):
            if line.data is None:
                raise ValueError(f"line {line.number:,} is longer than {MAX_LINE >> 20} MB")
            new = _redacted(line_text(line), placeholders)
            changed += new is not None
            derived.write(line.data if new is None else new, line.number)
    return Redaction(dict(placeholders.counts), changed, derived.lines, derived.sha256)


def _redacted(data: bytes, placeholders: _Placeholders) -> bytes | None:
    """The line with placeholders, None when it holds nothing private."""
    parsed = parse_line(data) if data else None
    if parsed is None:
        return None
    doubled = "duplicate_key" in parsed.found
    if not parsed.ok or not isinstance(parsed.value, dict):
        hits = scan(data)
        return placeholders.fill(data, hits) if hits else None
    if not private_values(data, None if doubled else parsed.value, parsed.canonical):
        return None
    return orjson.dumps(walk(parsed.value, placeholders.fill))


class _Placeholders:
    """Numbers values by class in the order they come. Only keyed digests of values are held.

    Memory holds 200,000 of them, a temporary database the rest.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._key = os.urandom(32)
        self._last: Counter[str] = Counter()
        self._numbers: dict[bytes, int] = {}
        self._more: sqlite3.Connection | None = None

    def fill(self, text: bytes, hits: list[Hit]) -> bytes:
        """``text`` with a placeholder for each hit, and for what only shows itself beside a placeholder."""
        while hits:
            text = self._filled(text, hits)
            hits = scan(text)
        return text

    def _filled(self, text: bytes, hits: list[Hit]) -> bytes:
        pieces: list[bytes] = []
        place = 0
        for hit in hits:
            number = self._number(hit.code, text[hit.start : hit.end])
            self.counts[hit.code] += 1
            pieces += (text[place : hit.start], f"[{_NAMES[hit.code]}_{number}]".encode())
            place = hit.end
        return b"".join((*pieces, text[place:]))

    def _number(self, code: str, value: bytes) -> int:
        plain = value.lower() if code == "email" else value
        key = hashlib.blake2b(code.encode() + b"\0" + plain, digest_size=16, key=self._key).digest()
        number = self._numbers.get(key) or self._kept(key)
        if number is None:
            self._last[code] += 1
            number = self._last[code]
            if len(self._numbers) < _IN_MEMORY:
                self._numbers[key] = number
            else:
                self._keep(key, number)
        return number

    def _kept(self, key: bytes) -> int | None:
        if self._more is None:
            return None
        row = self._more.execute("SELECT number FROM numbers WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _keep(self, key: bytes, number: int) -> None:
        if self._more is None:
            self._more = sqlite3.connect("")  # a temporary file of SQLite's own
            self._more.execute("CREATE TABLE numbers (key BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID")
        self._more.execute("INSERT INTO numbers VALUES (?, ?)", (key, number))

    def __enter__(self) -> _Placeholders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._more is not None:
            self._more.close()

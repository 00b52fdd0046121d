"""What the second look sees in one piece of a file; runs in worker processes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import orjson

from tuning.datasets.excerpts import excerpt
from tuning.datasets.lines import BOM, line_text, lines_between
from tuning.datasets.parsing import parse_line
from tuning.datasets.privacy import Hit, may_hold, scan, walk
from tuning.datasets.quality.traces import Trace, first_system, pack, trace_of, trace_of_plain
from tuning.datasets.repairing.rows import is_mended
from tuning.datasets.sweeping import BLOCK, Sweeper
from tuning.datasets.swept import Swept, roles_of, unescaped
from tuning.datasets.weighing import weigh
from tuning.datasets.worker import Job

_MIXED = (b"\\u", b"\\/")
"""What hides a value from a look at the raw bytes: escapes."""
MOST_PROMPTS = 1_000
MOST_ANSWERS = 1_000
_LONGEST_ANSWER = 50_000


class Looking(msgspec.Struct, frozen=True):
    """What is looked at. ``private``: for private values too; ``answers``: how many a piece keeps."""

    path: bytes
    private: bool
    answers: int


class Piece(msgspec.Struct):
    """``lines`` counts the physical lines of the piece; other line numbers count from 1 in it.

    ``private`` is line, code, how many values and what they are in words; never the values. ``prompts`` are
    short pieces of system prompts by their digest in the traces.
    """

    lines: int = 0
    traces: bytes = b""
    private: list[tuple[int, str, int, str]] = []
    fixable: int = 0
    prompts: dict[int, str] = {}
    answers: list[str] = []


def job(path: Path, private: bool, answers: int) -> Job[Piece]:
    """Looking at a file, for a crew."""
    return Job(__name__, Looking(os.fsencode(path), private, answers), Piece)


def hand(plan: bytes | bytearray) -> Callable[[int, int], Piece]:
    """Looks at pieces by an encoded plan."""
    looking, sweep = msgspec.msgpack.decode(plan, type=Looking), Sweeper().sweep
    return lambda start, stop: _Look(looking, sweep).at(start, stop)


class _Look:
    """The state of one look at one piece."""

    def __init__(self, looking: Looking, sweep: Callable[[bytes], Swept | None]) -> None:
        self._looking, self._sweep = looking, sweep
        self._piece = Piece()
        self._traces: list[Trace] = []

    def at(self, start: int, stop: int) -> Piece:
        """What is seen between two places of the file."""
        with open(self._looking.path, "rb") as stream:
            swept = self._swept(stream, start, stop)
            if swept is not None:
                self._mostly_plain(swept)
            else:
                for line in lines_between(stream, start, stop):
                    self._piece.lines = line.number
                    self._line(line_text(line))
        self._piece.traces = pack(self._traces)
        return self._piece

    def _swept(self, stream: BinaryIO, start: int, stop: int) -> Swept | None:
        """Nearly all of it as plain rows, if that is what it is."""
        if stop - start > BLOCK:
            return None
        stream.seek(start)
        data = stream.read(stop - start)
        swept = None if b"\r" in data or data.startswith(BOM) else self._sweep(data)
        return swept if swept is not None and swept.is_worth_it() else None

    def _mostly_plain(self, swept: Swept) -> None:
        backslashes = swept.has_backslashes()
        begin, end = swept.begin[swept.plain].tolist(), swept.end[swept.plain].tolist()
        for rows, line in swept.runs():
            for row in range(rows.start, rows.stop):
                self._piece.lines += 1
                data = swept.data[begin[row] : end[row]]
                if backslashes and b"\\\\" in data:  # what follows may look like an escape that hides a value
                    self._line(data)
                else:
                    self._plain(data, roles_of(swept.roles[row]), swept.texts(row))
            if line is not None:
                self._piece.lines += 1
                self._line(line.strip(b" \t\n\r"))

    def _plain(self, data: bytes, roles: tuple[str, ...], texts: list[bytes]) -> None:
        """A plain row, whose texts are as they are written."""
        piece = self._piece
        self._traces.append(trace := trace_of_plain(piece.lines, roles, texts))
        if trace.system and _wants_prompt(piece, trace.system):
            piece.prompts[trace.system] = excerpt(unescaped(texts[roles.index("system")]), 60)
        if len(piece.answers) < self._looking.answers:
            piece.answers.append(unescaped(texts[-1])[:_LONGEST_ANSWER])
        if self._looking.private and may_hold(data):
            _private(piece, piece.lines, data, orjson.loads(data), b"")

    def _line(self, data: bytes) -> None:
        """Any line."""
        piece = self._piece
        if not data:
            return
        parsed = parse_line(data)
        is_row = parsed.ok and isinstance(parsed.value, dict)
        if is_row:
            row = cast("dict[str, Any]", parsed.value)
            self._traces.append(trace := trace_of(piece.lines, row, parsed.canonical))
            _keep_prompt(piece, trace.system, row)
            if len(piece.answers) < self._looking.answers:
                _keep_answer(piece, row)
        if self._looking.private:
            whole = not is_row or "duplicate_key" in parsed.found
            _private(piece, piece.lines, data, None if whole else parsed.value, parsed.canonical)
        piece.fixable += is_mended(data, parsed)


def _wants_prompt(piece: Piece, key: int) -> bool:
    return key not in piece.prompts and len(piece.prompts) < MOST_PROMPTS


def _keep_prompt(piece: Piece, key: int, row: dict[str, Any]) -> None:
    if key and _wants_prompt(piece, key):
        given: Any = row["input"] if isinstance(row.get("input"), dict) else row
        prompt = first_system(given["messages"])
        piece.prompts[key] = excerpt(prompt, 60) if prompt is not None else ""


def _keep_answer(piece: Piece, row: dict[str, Any]) -> None:
    """The last answer as text, of the first rows of a piece: enough to tell how long answers are."""
    messages = row.get("messages", row.get("preferred_output"))
    last: Any = cast("list[Any]", messages)[-1] if isinstance(messages, list) and messages else None
    if isinstance(last, dict) and cast("dict[str, Any]", last).get("role") == "assistant":
        weighed = weigh({"messages": [last]})
        piece.answers.append("\n".join(weighed.texts)[:_LONGEST_ANSWER])


def private_values(data: bytes, value: Any, canonical: bytes) -> list[Hit]:
    """What private values a row holds; without a ``value``, the line as it is."""
    if value is None:
        return scan(data)
    hidden = b"\\" in data and any(mark in data for mark in _MIXED)
    if not may_hold(canonical if hidden else data) and not (hidden and b"\\\\u" in canonical):
        return []
    hits: list[Hit] = []

    def note(text: bytes, found: list[Hit]) -> bytes:
        hits.extend(found)
        return text

    walk(value, note)
    return hits


def _private(piece: Piece, number: int, data: bytes, value: Any, canonical: bytes) -> None:
    hits = private_values(data, value, canonical)
    kinds = {hit.code: hit.kind for hit in reversed(hits)}
    for code, count in Counter(hit.code for hit in hits).items():
        piece.private.append((number, code, count, kinds[code]))

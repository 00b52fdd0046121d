"""What the second look sees in one piece of a file; runs in worker processes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from tuning.datasets.excerpts import excerpt
from tuning.datasets.lines import line_text, lines_between
from tuning.datasets.parsing import parse_line
from tuning.datasets.privacy import Hit, may_hold, scan, walk
from tuning.datasets.quality.traces import Trace, first_system, pack, trace_of
from tuning.datasets.repairing.rows import is_mended
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
    looking = msgspec.msgpack.decode(plan, type=Looking)
    return lambda start, stop: look(looking, start, stop)


def look(looking: Looking, start: int, stop: int) -> Piece:
    """Look at one piece."""
    piece = Piece()
    traces: list[Trace] = []
    with open(looking.path, "rb") as stream:
        for line in lines_between(stream, start, stop):
            piece.lines = line.number
            data = line_text(line)
            if not data:
                continue
            parsed = parse_line(data)
            is_row = parsed.ok and isinstance(parsed.value, dict)
            if is_row:
                row = cast("dict[str, Any]", parsed.value)
                traces.append(trace_of(line.number, row, parsed.canonical))
                _keep_prompt(piece, traces[-1].system, row)
                if len(piece.answers) < looking.answers:
                    _keep_answer(piece, row)
            if looking.private:
                whole = not is_row or "duplicate_key" in parsed.found
                _private(piece, line.number, data, None if whole else parsed.value, parsed.canonical)
            piece.fixable += is_mended(data, parsed)
    piece.traces = pack(traces)
    return piece


def _keep_prompt(piece: Piece, key: int, row: dict[str, Any]) -> None:
    if key and key not in piece.prompts and len(piece.prompts) < MOST_PROMPTS:
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

"""The rules over one part of a file: what a check does in every process that takes part in it.

A part is a run of whole lines. What is found there goes into a :class:`Part`, whose line numbers begin at 1;
whoever puts the parts together knows how many lines came before.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
import orjson

from tuning.datasets.chat import check_supervised
from tuning.datasets.columns import Columns, count_columns
from tuning.datasets.findings import Findings, Group
from tuning.datasets.limits import STANDARD, Limits
from tuning.datasets.lines import BOM, CHUNK, Line, line_text, lines_between, physical_lines
from tuning.datasets.parsing import Found, parse_line
from tuning.datasets.preferences import check_dpo, check_pair, check_reinforcement
from tuning.datasets.quick import Plain, fingerprint, look
from tuning.datasets.rules import RULES
from tuning.datasets.shapes import FOREIGN, Shape, ends_with_user, shape_of, system_prompt
from tuning.datasets.sweeping import BLOCK, Sweeper
from tuning.datasets.swept import SeenRows, Swept
from tuning.datasets.weighing import Load, Scale
from tuning.datasets.worker import Job

CHECKS: dict[str, Callable[[dict[str, Any], Found, Limits], None]] = {
    "chat": check_supervised,
    "unknown": check_supervised,
    "dpo": check_dpo,
    "reinforcement": check_reinforcement,
    "legacy": check_pair,
}
SHAPE_OF_METHOD: dict[str, Shape] = {"supervised": "chat", "dpo": "dpo", "reinforcement": "reinforcement"}
_TALKS = frozenset({"chat", "reinforcement"})
"""Formats that look alike: a reinforcement row is a chat without the reply, and with columns for a grader."""
_AT_ONCE = 8 * CHUNK
"""A part larger than this (it holds a very long line) is read piece by piece."""


class Plan(msgspec.Struct, frozen=True):
    """What all parts are checked for. ``every``: name each single finding; ``weigh``: for tokens."""

    path: bytes
    shape: Shape
    method: str | None = None
    takes_pairs: bool = False
    every: bool = False
    weigh: bool = True
    quick: bool = True
    limits: Limits = STANDARD
    columns: Columns | None = None
    """Those of the training file, for the reinforcement rows of a validation file."""


class Part(msgspec.Struct):
    """What was seen in one part of a file. ``prints``, ``places`` and ``bad`` have one entry an example."""

    lines: int = 0
    rows: int = 0
    examples: int = 0
    bad_rows: int = 0
    pictured: int = 0
    """Rows with pictures."""
    crlf: int = 0
    columns: dict[str, int] = {}
    """How many reinforcement rows have each column."""
    groups: dict[str, Group] = {}
    every: list[tuple[int, str, str]] = []
    prints: bytes = b""
    """64-bit fingerprints."""
    places: bytes = b""
    """Line numbers, 64 bits each."""
    bad: bytes = b""
    """1 where the example has an error of its own."""
    prompts: dict[str, int] = {}
    tools: bytes | None = None
    tools_differ: bool = False
    load: Load | None = None


def job(plan: Plan) -> Job[Part]:
    """Scanning by ``plan``, for a crew."""
    return Job(__name__, plan, Part)


def hand(plan: bytes | bytearray) -> Callable[[int, int], Part]:
    """Scans parts by an encoded plan."""
    return Scanner(msgspec.msgpack.decode(plan, type=Plan)).scan


class Scanner:
    """Checks part after part of one file by one :class:`Plan`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        wanted: Shape = SHAPE_OF_METHOD[plan.method] if plan.method else plan.shape
        self._quick = plan.quick and wanted in ("chat", "unknown")
        self._wanted = wanted
        self._sweep = Sweeper().sweep

    def scan(self, start: int, stop: int) -> Part:
        """Check the whole lines between two offsets of the file."""
        self._begin()
        with open(self._plan.path, "rb") as file:
            file.seek(start)
            if stop - start > _AT_ONCE:
                self._lines(lines_between(file, start, stop), start == 0)
            else:
                self._bytes(file.read(stop - start), start == 0)
        return self._end()

    def _begin(self) -> None:
        self._part = Part()
        self._every: list[tuple[int, str, str]] = []
        note = self._every.append
        every = self._plan.every
        self._findings = Findings((lambda line, code, detail: note((line, code, detail))) if every else None)
        self._prints, self._places, self._bad = array("Q"), array("Q"), bytearray()
        self._prompts: dict[str, int] = {}
        self._tools: set[bytes | None] = set()
        self._quick_rows = 0
        self._scale = Scale() if self._plan.weigh else None

    def _end(self) -> Part:
        part = self._part
        part.rows += self._quick_rows
        part.examples = len(self._prints)
        if self._quick_rows:  # none of them has tools
            self._tools.add(None)
        part.tools = next(iter(self._tools), None)
        part.tools_differ = len(self._tools) > 1
        part.groups, part.every = self._findings.groups, self._every
        part.prints, part.places = self._prints.tobytes(), self._places.tobytes()
        part.bad, part.prompts = bytes(self._bad), self._prompts
        part.load = self._scale.load() if self._scale else None
        return part

    # --- lines -----------------------------------------------------------------------------------
    def _bytes(self, data: bytes, first: bool) -> None:
        if b"\r" in data or (first and data.startswith(BOM)):
            self._lines(physical_lines(io.BytesIO(data)), first)
        else:
            self._plain_lines(data)

    def _plain_lines(self, data: bytes) -> None:
        """Lines of a part that has no CR."""
        start = 0
        while start < len(data):
            stop = data.rfind(b"\n", start, start + BLOCK) + 1 or data.find(b"\n", start) + 1 or len(data)
            block = data[start:stop]
            swept = self._sweep(block) if self._quick else None
            if swept is None or not swept.is_worth_it():
                self._line_by_line(block)
            else:
                self._swept(swept)
            start = stop

    def _line_by_line(self, block: bytes) -> None:
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        for line in lines:
            self._line(line)

    def _line(self, line: bytes) -> None:
        self._part.lines = number = self._part.lines + 1
        if self._quick and (plain := look(line)) is not None:
            self._plain(number, plain)
        elif text := line.strip(b" \t\n\r"):
            self._row(number, text)
        else:
            self._findings.add("blank_lines", number)

    def _swept(self, swept: Swept) -> None:
        """Lines most of which are plain rows without any problem, in order."""
        seen = SeenRows(swept)
        for rows, line in swept.runs():
            if rows.stop > rows.start:
                self._plain_rows(seen, rows)
            if line is not None:
                self._line(line)

    def _plain_rows(self, seen: SeenRows, rows: slice) -> None:
        """Rows that follow one another, without any problem."""
        before, count = self._part.lines, rows.stop - rows.start
        self._part.lines += count
        self._quick_rows += count
        self._prints.extend(seen.prints[rows])
        self._places.extend(range(before + 1, before + count + 1))
        self._bad.extend(bytes(count))
        for prompt in seen.prompts[rows]:
            if prompt is not None:
                self._prompts[prompt] = self._prompts.get(prompt, 0) + 1
        if self._scale is not None:
            self._scale.add_swept(before, seen, rows)

    def _lines(self, lines: Iterable[Line], first: bool) -> None:
        for line in lines:
            self._part.lines = number = line.number
            self._part.crlf += line.ending == b"\r\n"
            if line.ending == b"\r":
                self._findings.add("cr_line_endings", number)
            if line.data is None:
                self._part.rows += 1
                self._note(number, {"row_too_large": "one line of the file"})
                continue
            if first and number == 1 and line.data.startswith(BOM):
                self._findings.add("bom", 1)
            text = line_text(line) if first else line.data.strip(b" \t\n\r")
            if not text:
                self._findings.add("blank_lines", number)
            elif self._quick and (plain := look(text)) is not None:
                self._plain(number, plain)
            else:
                self._row(number, text)

    # --- rows ------------------------------------------------------------------------------------
    def _plain(self, number: int, plain: Plain) -> None:
        """A row without any problem."""
        roles, texts, _, print_ = plain
        self._quick_rows += 1
        self._prints.append(print_)
        self._places.append(number)
        self._bad.append(False)
        prompt = texts[0] if roles[0] == "system" else None
        if prompt is not None:
            self._prompts[prompt] = self._prompts.get(prompt, 0) + 1
        if self._scale is not None:
            self._scale.add_plain(number, plain, prompt)

    def _row(self, number: int, data: bytes) -> None:
        self._part.rows += 1
        parsed = parse_line(data)
        if not parsed.ok or not isinstance(parsed.value, dict):
            self._note(number, parsed.found if not parsed.ok else {**parsed.found, "row_not_object": ""})
            return
        row = cast("dict[str, Any]", parsed.value)
        known_format = self._check(row, parsed.found)
        self._part.pictured += b'"image_url"' in data
        bad = self._note(number, parsed.found)
        given: Any = row["input"] if isinstance(row.get("input"), dict) else row
        tools = orjson.dumps(given["tools"]) if given.get("tools") else None
        if len(self._tools) < 2:
            self._tools.add(tools)
        self._prints.append(fingerprint(row, parsed.canonical))
        self._places.append(number)
        self._bad.append(bad)
        if (prompt := system_prompt(given.get("messages"))) is not None:
            self._prompts[prompt] = self._prompts.get(prompt, 0) + 1
        if known_format and self._scale is not None:
            self._scale.add(number, row, prompt)

    def _check(self, row: dict[str, Any], found: Found) -> bool:
        """The rules of the file's format; False with the name of the format this row is in instead."""
        shape, plan = shape_of(row), self._plan
        if shape == "legacy" and plan.takes_pairs:
            check_pair(row, found)
            return True
        if shape in FOREIGN:
            found[f"{shape}_format"] = ""
            return False
        wanted = self._wanted
        if wanted == "reinforcement" and shape == "chat" and ends_with_user(row.get("messages")):
            shape = wanted  # a row without a column for the grader
        may_differ = "unknown" in (shape, wanted) or (not plan.method and {shape, wanted} <= _TALKS)
        if shape != wanted and not may_differ:
            found["method_mismatch" if plan.method else "mixed_formats"] = ""
        else:
            kind = wanted if wanted != "unknown" else shape
            CHECKS.get(kind, check_supervised)(row, found, plan.limits)
            if kind == "reinforcement":
                self._columns(row, found)
        return True

    def _columns(self, row: dict[str, Any], found: Found) -> None:
        count_columns(row, self._part.columns)
        if self._plan.columns is not None and (words := self._plan.columns.differ(row)):
            found["validation_columns"] = words

    def _note(self, number: int, found: Found) -> bool:
        bad = False
        for code, detail in found.items():
            self._findings.add(code, number, detail)
            bad = bad or RULES[code].severity == "error"
        self._part.bad_rows += bad
        return bad

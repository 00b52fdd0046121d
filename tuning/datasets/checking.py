"""The check: one streaming pass over a file, bounded in memory, to a :class:`Report`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

from tuning.datasets.chat import check_supervised
from tuning.datasets.findings import Findings, Sink
from tuning.datasets.lines import CHUNK, Line, physical_lines
from tuning.datasets.parsing import Found, parse_line
from tuning.datasets.preferences import check_dpo, check_pair, check_reinforcement
from tuning.datasets.pricing import LEGACY_BASES, BaseInfo, cost_of, strip_fine_tuned
from tuning.datasets.report import Report
from tuning.datasets.rules import RULES
from tuning.datasets.shapes import FOREIGN, METHODS, Shape, main_shape, shape_of
from tuning.datasets.sniffing import sniff_bytes, sniff_lines
from tuning.datasets.tokens import DEFAULT_ENCODING, ENCODINGS, TokenCounter
from tuning.datasets.traits import Traits, digest

MIN_EXAMPLES = 10
"""OpenAI job error ``invalid_n_examples``: a training file must have at least 10 examples."""
GOOD_EXAMPLES = 50
MAX_BYTES = 8 << 30
HEAD = 1 << 16
SAMPLE_ROWS = 100
SAMPLE_LINES = 20
SAMPLE_BYTES = 4 << 20
BOM = b"\xef\xbb\xbf"

_CHECKS: dict[str, Callable[[dict[str, Any], Found], None]] = {
    "chat": check_supervised,
    "unknown": check_supervised,
    "dpo": check_dpo,
    "reinforcement": check_reinforcement,
    "legacy": check_pair,
}
_TALKS = frozenset({"chat", "reinforcement"})
"""Formats that look alike: a reinforcement row is a chat without the reply, and with columns for a grader."""
_SHAPE_OF_METHOD: dict[str, Shape] = {"supervised": "chat", "dpo": "dpo", "reinforcement": "reinforcement"}


def check_file(
    path: Path,
    *,
    name: str | None = None,
    method: str | None = None,
    base: BaseInfo | None = None,
    epochs: int | Literal["auto"] = "auto",
    validation: bool = False,
    against: Path | None = None,
    sink: Sink | None = None,
) -> Report:
    """Check a dataset file; every problem at once, with the lines of the file as it is.

    ``method`` overrides what the rows look like; ``base`` gives encoding, limit and price; a
    ``validation`` file may have fewer than 10 examples; ``against`` is a training file this one must
    not overlap with; ``sink`` gets every single finding. Raises ``OSError`` when a file cannot be
    read and ``ValueError`` for an unknown method; nothing in the file's bytes makes it raise.
    """
    if method is not None and method not in _SHAPE_OF_METHOD:
        raise ValueError(f"unknown method {method!r}; use supervised, dpo or reinforcement")
    scan = _Scan(Findings(sink), method, base, validation)
    if against is not None:
        scan.training = row_digests(against)
    size, sha256 = scan.read(path)
    return scan.report(name or path.name, sha256, size, epochs)


def row_digests(path: Path) -> set[bytes]:
    """Digests of every row of ``path`` that holds a JSON object (8 bytes each)."""
    return {digest(canonical) for _, _, canonical in parsed_rows(path)}


def parsed_rows(path: Path) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """Line, row and canonical bytes of every line that holds a JSON object; other lines are passed by."""
    with path.open("rb") as stream:
        for line in physical_lines(stream):
            data = line_text(line)
            if data:
                parsed = parse_line(data)
                if parsed.ok and isinstance(parsed.value, dict):
                    yield line.number, cast("dict[str, Any]", parsed.value), parsed.canonical


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Physical line and row of every row the check accepts, in order. Raises ``OSError`` only."""
    shape, _ = _sample(path)
    check = _CHECKS.get(shape, check_supervised)
    for number, row, _ in parsed_rows(path):
        found: Found = {}
        check(row, found)
        if not any(RULES[code].severity == "error" for code in found):
            yield number, row


def line_text(line: Line) -> bytes:
    """The bytes of a line without a mark at the file's start and without blanks around; may be empty."""
    data = line.data or b""
    if line.number == 1:
        data = data.removeprefix(BOM)
    return data.strip(b" \t\n\r")


def _sample(path: Path) -> tuple[Shape, str | None]:
    """The main format of the first rows, or the code of what the file is instead of JSON Lines."""
    shapes: list[Shape] = []
    first: list[bytes] = []
    size = 0
    with path.open("rb") as stream:
        for line in physical_lines(stream, max_line=SAMPLE_BYTES):
            data = line_text(line)
            size += len(data)
            if data:
                first.append(data[:HEAD] if len(first) < SAMPLE_LINES else b"")
                value = parse_line(data).value
                if isinstance(value, dict):
                    shapes.append(shape_of(cast("dict[str, Any]", value)))
            if (
                len(shapes) >= SAMPLE_ROWS
                or size > SAMPLE_BYTES
                or (len(first) >= SAMPLE_LINES and not shapes)
            ):
                break
    main = main_shape(shapes)
    return main, sniff_lines(first[:SAMPLE_LINES], has_rows=main != "unknown", has_objects=bool(shapes))


class _Scan:
    """The state of one pass."""

    def __init__(
        self, findings: Findings, method: str | None, base: BaseInfo | None, validation: bool
    ) -> None:
        self.findings = findings
        self.method = method
        self.base = base
        self.validation = validation
        self.takes_pairs = base is not None and strip_fine_tuned(base.model) in LEGACY_BASES
        self.training: set[bytes] = set()
        self.encoding = (base.encoding if base else None) or DEFAULT_ENCODING
        self.exact = base is None or (base.exact and base.encoding in ENCODINGS)
        if self.encoding not in ENCODINGS:
            self.encoding = DEFAULT_ENCODING
        self.tokens = TokenCounter(self.encoding)
        self.traits = Traits()
        self.shape: Shape = "unknown"
        self.rows = self.examples = self.bad_rows = 0
        self.whole_file = False

    # --- reading ---------------------------------------------------------------------------------
    def read(self, path: Path) -> tuple[int, str]:
        """Look at the file once (twice at its beginning); gives its size and SHA-256."""
        with path.open("rb") as stream:
            head = stream.read(HEAD)
        code = sniff_bytes(head) if head else "empty_file"
        if code is None:
            self.shape, code = _sample(path)
        if code is not None:
            self.whole_file = True
            self.findings.add_whole(code)
        sha256, size = hashlib.sha256(), 0

        def count(chunk: bytes) -> None:
            nonlocal size
            size += len(chunk)
            sha256.update(chunk)

        with path.open("rb") as stream:
            if self.whole_file:
                while chunk := stream.read(CHUNK):
                    count(chunk)
            else:
                self._lines(physical_lines(stream, count))
        if size > MAX_BYTES:
            self.findings.add_whole("file_too_large")
        return size, sha256.hexdigest()

    def _lines(self, lines: Iterator[Line]) -> None:
        crlf = 0
        for line in lines:
            crlf += line.ending == b"\r\n"
            if line.ending == b"\r":
                self.findings.add("cr_line_endings", line.number)
            if line.number == 1 and line.data is not None and line.data.startswith(BOM):
                self.findings.add("bom", 1)
            if line.data is None:
                self.rows += 1
                self._note(line.number, {"row_too_large": "one line of the file"})
            elif data := line_text(line):
                self._row(line.number, data)
            else:
                self.findings.add("blank_lines", line.number)
        if crlf:
            self.findings.add_whole("crlf", crlf)
        for number, tokens in self.tokens.flush():
            self._limit(number, tokens)

    # --- one row ---------------------------------------------------------------------------------
    def _row(self, number: int, data: bytes) -> None:
        self.rows += 1
        parsed = parse_line(data)
        if not parsed.ok:
            self._note(number, parsed.found)
            return
        if not isinstance(parsed.value, dict):
            self._note(number, {**parsed.found, "row_not_object": ""})
            return
        row = cast("dict[str, Any]", parsed.value)
        self.examples += 1
        known_format = self._check(row, parsed.found)
        if self.traits.repeats(parsed.canonical):
            parsed.found["duplicate_examples"] = ""
        if self.training and digest(parsed.canonical) in self.training:
            parsed.found["validation_overlap"] = ""
        self.traits.see(row)
        self._note(number, parsed.found)
        if known_format:
            for counted, tokens in self.tokens.add(number, row):
                self._limit(counted, tokens)

    def _check(self, row: dict[str, Any], found: Found) -> bool:
        """The rules of the file's format; False with the name of the format this row is in instead."""
        shape = shape_of(row)
        if shape == "legacy" and self.takes_pairs:
            check_pair(row, found)
            return True
        if shape in FOREIGN:
            found[f"{shape}_format"] = ""
            return False
        wanted: Shape = _SHAPE_OF_METHOD[self.method] if self.method else self.shape
        may_differ = "unknown" in (shape, wanted) or (not self.method and {shape, wanted} <= _TALKS)
        if shape != wanted and not may_differ:
            found["method_mismatch" if self.method else "mixed_formats"] = ""
        else:
            _CHECKS.get(wanted if wanted != "unknown" else shape, check_supervised)(row, found)
        return True

    def _limit(self, number: int, tokens: int) -> None:
        limit = self.base.token_limit if self.base else None
        if limit is not None and tokens > limit:
            self.findings.add("over_token_limit", number, f"{tokens:,} tokens of {limit:,}")

    def _note(self, number: int, found: Found) -> None:
        bad = False
        for code, detail in found.items():
            self.findings.add(code, number, detail)
            bad = bad or RULES[code].severity == "error"
        self.bad_rows += bad

    # --- the verdict -----------------------------------------------------------------------------
    def report(self, name: str, sha256: str, size: int, epochs: int | Literal["auto"]) -> Report:
        """Put together what was seen."""
        for shape in FOREIGN:
            if self.examples and self.findings.count(f"{shape}_format") == self.examples:
                self.findings.make_whole(f"{shape}_format")
        self._count_examples()
        problems = self.findings.problems()
        method = self.method or METHODS.get(self.shape)
        limit = self.base.token_limit if self.base else None
        tokens = self.tokens.summary(self.encoding, limit, self.exact)
        billed = self.tokens.billed(limit)
        return Report(
            file=name,
            sha256=sha256,
            bytes=size,
            method=method,
            examples=self.examples,
            rows=self.rows,
            verdict="reject" if any(p.severity == "error" for p in problems) else "accept",
            problems=problems,
            tokens=tokens,
            cost=cost_of(billed, self.examples, self.base, epochs, method) if tokens else None,
            bad_rows=self.bad_rows,
            system_prompt=self.traits.system_prompt(),
            tools=self.traits.shared_tools(),
            multi_system=self.traits.multi_system,
        )

    def _count_examples(self) -> None:
        """Rows that could be read once corrected count towards the minimum; their errors block anyway."""
        if self.whole_file:
            return
        if not self.rows:
            self.findings.forget("blank_lines")
            self.findings.add_whole("no_rows")
        elif not self.validation and self.rows - self.findings.count("comment_line") < MIN_EXAMPLES:
            self.findings.add_whole("too_few_examples", self.examples)
        elif not self.validation and self.examples < GOOD_EXAMPLES and self.shape == "chat":
            self.findings.add_whole("few_examples", self.examples)

"""The rows of a file, one after the other, and what its first ones say about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from tuning.datasets.chat import check_supervised
from tuning.datasets.limits import STANDARD
from tuning.datasets.lines import line_text, physical_lines
from tuning.datasets.parsing import Found, parse_line
from tuning.datasets.rules import RULES
from tuning.datasets.scanning import CHECKS
from tuning.datasets.shapes import Shape, main_shape, shape_of
from tuning.datasets.sniffing import sniff_lines

HEAD = 1 << 16
SAMPLE_ROWS = 100
SAMPLE_LINES = 20
SAMPLE_BYTES = 4 << 20


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
    shape, _ = sample(path)
    check = CHECKS.get(shape, check_supervised)
    for number, row, _ in parsed_rows(path):
        found: Found = {}
        check(row, found, STANDARD)
        if not any(RULES[code].severity == "error" for code in found):
            yield number, row


def sample(path: Path) -> tuple[Shape, str | None]:
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

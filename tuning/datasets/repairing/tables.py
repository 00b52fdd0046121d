"""Tables in text (CSV and the like) as rows, each with the line it begins on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from tuning.datasets.lines import BOM, MAX_LINE, Line, physical_lines

SEPARATORS = (",", "\t", ";", "|")


def table_rows(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and cells by heading of every row. Raises ``ValueError`` for what is no table."""
    csv.field_size_limit(MAX_LINE)
    texts = _texts(stream)
    first = next(texts, "")
    reader = csv.reader(_with(first, texts), delimiter=max(SEPARATORS, key=first.count))
    try:
        names = [cell.strip() for cell in next(reader, list[str]())]
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield line, dict(zip(names, cells, strict=False))
    except csv.Error as problem:
        raise ValueError(f"line {reader.line_num:,} of the table cannot be read") from problem


def heading(line: Line | None) -> list[str]:
    """The names in the first line of a table."""
    text = _text(line) if line is not None else ""
    separator = max(SEPARATORS, key=text.count)
    return [name.strip().strip('"') for name in text.split(separator)]


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _texts(stream: BinaryIO) -> Iterator[str]:
    """Lines as text: UTF-8, or Windows-1252 where they are not."""
    for line in physical_lines(stream):
        yield _text(line) + "\n"


def _text(line: Line) -> str:
    data = line.data or b""
    if line.number == 1:
        data = data.removeprefix(BOM)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.replace("\0", "")

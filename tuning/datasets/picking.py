"""Single rows of a file: a copy without them, and what they say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tuning.datasets.derived import Derived
from tuning.datasets.excerpts import excerpt
from tuning.datasets.linemap import LineMap
from tuning.datasets.lines import MAX_LINE, physical_lines


@dataclass(frozen=True, slots=True)
class Omission:
    """What was left out: lines of the original (1-based); where each line of the copy came from."""

    left_out: tuple[int, ...]
    lines: LineMap
    sha256: str


def leave_out(path: Path, out: Path, lines: Collection[int]) -> Omission:
    """Write ``path`` to ``out`` without these lines (1-based); every other line byte for byte.

    Raises ``OSError``, and ``ValueError`` for a line of more than 160 MB, when the file has none of the
    lines, or when ``out`` is ``path``.
    """
    wanted = frozenset(lines)
    gone: list[int] = []
    with path.open("rb") as stream, Derived(out, path) as derived:
        for line in physical_lines(stream):
            if line.number in wanted:
                gone.append(line.number)
            elif line.data is None:
                raise ValueError(f"line {line.number:,} is longer than {MAX_LINE >> 20} MB")
            else:
                derived.write(line.data, line.number)
    if not gone:
        raise ValueError("the file has none of these lines")
    return Omission(tuple(gone), derived.lines, derived.sha256)


def pick(path: Path, lines: Collection[int], limit: int) -> list[tuple[int, str]]:
    """These lines of a file (1-based) in its order: printable, on one line, ``limit`` characters at most.

    Private values are replaced by their kind; lines that the file has not are left out. Raises ``OSError``.
    """
    wanted = frozenset(lines)
    last = max(wanted, default=0)
    found: list[tuple[int, str]] = []
    with path.open("rb") as stream:
        for line in physical_lines(stream):
            if line.number > last:
                break
            if line.number in wanted:
                text = "" if line.data is None else line.data.decode("utf-8", "replace")
                found.append((line.number, excerpt(text, limit).strip("`")))
    return found

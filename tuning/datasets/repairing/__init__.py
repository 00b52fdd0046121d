"""Repairs what can be put right without guessing at what a row means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuning.datasets.linemap import LineMap
from tuning.datasets.repairing.changes import Change
from tuning.datasets.repairing.files import repair_file
from tuning.datasets.repairing.reading import FORMATS, RECOGNISED, Format, likely
from tuning.datasets.report import Problem, Report

_WHOLE = frozenset({"utf16", "utf32", "gzip_file", "parquet_file", "json_array", "pretty_printed"})
_ROWS = frozenset(
    {
        "python_dict",
        "several_objects",
        "comment_line",
        "legacy_format",
        "sharegpt_format",
        "alpaca_format",
        "trl_preference_format",
    }
)
_WORDS = ("comma", "curly quote", "single quote", "Python's", "raw tab")


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did. ``lines`` says for each line of the copy where it stood in the file as dropped."""

    changes: tuple[Change, ...]
    rows: int
    lines: LineMap
    sha256: str

    @property
    def changed(self) -> int:
        """How many rows or lines were changed, all kinds together."""
        return sum(change.count for change in self.changes)


def repairable(report: Report) -> int:
    """How many rows with errors :func:`repair` may put right, for the words on its button.

    Exact once the report is examined; before that, told from the codes and the first place of each. A file
    that is wrong as a whole (UTF-16, one list) counts as one.
    """
    whole = sum(problem.code in _WHOLE for problem in report.errors)
    if report.examined:
        return whole + report.fixable
    rows = sum(problem.count for problem in report.errors if _seems_repairable(problem))
    return whole + (min(rows, report.bad_rows) if report.bad_rows else rows)


def can_repair(problem: Problem) -> bool:
    """Whether a repair may take this problem away, told from its code and first place."""
    return problem.code in _WHOLE or _seems_repairable(problem)


def _seems_repairable(problem: Problem) -> bool:
    if problem.code == "invalid_json":
        return any(word in problem.message for word in _WORDS)
    return problem.code in _ROWS or (problem.code == "invalid_utf8" and "Windows-1252" in problem.message)


def repair(path: Path, out: Path, *, read_as: str | None = None) -> Repair:
    """Write a repaired copy of ``path`` to ``out``; the original is only read.

    ``read_as``: the key in :data:`FORMATS` of the format that a person says the rows are in.

    What cannot be repaired is copied as it is: the caller checks the copy again. Raises ``OSError``, and
    ``ValueError`` for a line of more than 160 MB or when ``out`` is ``path``.
    """
    derived, changes = repair_file(path, out, FORMATS[read_as] if read_as else None)
    return Repair(changes.all(), derived.rows, derived.lines, derived.sha256)


__all__ = [
    "FORMATS",
    "RECOGNISED",
    "Change",
    "Format",
    "Repair",
    "can_repair",
    "likely",
    "repair",
    "repairable",
]

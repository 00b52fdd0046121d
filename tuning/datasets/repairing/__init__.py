"""Repairs what can be repaired without guessing at what a row means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuning.datasets.linemap import LineMap
from tuning.datasets.report import Report


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change: the code of the problem it takes away, how often, the first 1,000 lines, in words."""

    code: str
    count: int
    lines: tuple[int, ...]
    message: str


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
    """How many rows with errors :func:`repair` may put right, for the words on its button."""
    raise NotImplementedError


def repair(path: Path, out: Path) -> Repair:
    """Write a repaired copy of ``path`` to ``out``; the original is only read. Raises ``OSError``.

    What cannot be repaired is copied as it is: the caller checks the copy again.
    """
    raise NotImplementedError


__all__ = ["Change", "Repair", "repair", "repairable"]

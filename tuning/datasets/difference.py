"""What changed from one version of a file to the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuning.datasets.quality.traces import asked_of, number
from tuning.datasets.reading import parsed_rows

Digests = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Difference:
    """Examples added, removed and changed (same question, other answer); tokens more or, negative, fewer."""

    added: int
    removed: int
    changed: int
    tokens_delta: int | None = None

    @property
    def same(self) -> bool:
        """True when both files hold the same examples, in whatever order."""
        return not (self.added or self.removed or self.changed)


def difference(old: Path, new: Path, *, tokens: tuple[int, int] | None = None) -> Difference:
    """Compare the examples of two files, spelling and order aside. Raises ``OSError``.

    Memory holds 16 bytes a row. ``tokens`` are the totals of the two reports, old and new, if known.
    """
    before, after = _digests(old), _digests(new)
    gone, come = _without(before, after), _without(after, before)
    changed = _common(gone[:, 1], come[:, 1])
    delta = tokens[1] - tokens[0] if tokens is not None else None
    return Difference(len(come) - changed, len(gone) - changed, changed, delta)


def _digests(path: Path) -> Digests:
    """Row and question of each row (shape n×2); a question of 0 is like no other."""
    found = np.fromiter(
        (value for _, row, canonical in parsed_rows(path) for value in (number(canonical), asked_of(row))),
        dtype=np.uint64,
    )
    return found.reshape(-1, 2)


def _without(rows: Digests, others: Digests) -> Digests:
    """Rows that are not in ``others``; a row that stands more often here is counted that much more often."""
    keys, counts = np.unique(others[:, 0], return_counts=True)
    order = np.argsort(rows[:, 0], kind="stable")
    rows = rows[order]
    repeat = np.arange(len(rows)) - np.searchsorted(rows[:, 0], rows[:, 0])  # which of its equals
    place = np.searchsorted(keys, rows[:, 0])
    there = np.zeros(len(rows), np.int64)
    known = place < len(keys)
    known[known] = keys[place[known]] == rows[known, 0]
    there[known] = counts[place[known]]
    return rows[repeat >= there]


def _common(gone: Digests, come: Digests) -> int:
    """How many questions of ``gone`` are asked again in ``come``."""
    keys, counts = np.unique(gone[gone != 0], return_counts=True)
    others, more = np.unique(come[come != 0], return_counts=True)
    _, left, right = np.intersect1d(keys, others, assume_unique=True, return_indices=True)
    return int(np.minimum(counts[left], more[right]).sum())

"""Holds out a part of a file for validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuning.datasets.linemap import LineMap

SHARE = 0.1
SEED = 7


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of the two files, and where each line of them stood in the file as dropped."""

    train_rows: int
    valid_rows: int
    train_lines: LineMap
    valid_lines: LineMap


def split(path: Path, train_out: Path, valid_out: Path, *, share: float = SHARE, seed: int = SEED) -> Split:
    """Write the rows of ``path`` to two files, ``share`` of them held out, the same ones for the same seed.

    Each system prompt keeps its share in both; rows that repeat or nearly repeat each other stay together.
    Raises ``OSError``, and ``ValueError`` for a share that is not between 0 and 1.
    """
    raise NotImplementedError

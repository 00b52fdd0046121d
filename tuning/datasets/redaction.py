"""Writes a copy of a file with its private values replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuning.datasets.linemap import LineMap


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a redaction did: values replaced a class, rows changed, rows left out, where each line came from.

    Rows whose JSON cannot be read are written with placeholders in their raw text.
    """

    counts: Mapping[str, int]
    rows_changed: int
    lines: LineMap
    sha256: str


def redact(path: Path, out: Path) -> Redaction:
    """Write ``path`` to ``out`` with every private value replaced by a placeholder such as ``[EMAIL_1]``.

    The same value has the same placeholder in the whole file. Raises ``OSError``.
    """
    raise NotImplementedError

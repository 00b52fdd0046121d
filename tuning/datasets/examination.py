"""The second look at a file: quality and privacy, after structure and tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuning.datasets.findings import Sink
from tuning.datasets.report import Report

Progress = Callable[[int, int], object]


def examine(
    path: Path,
    report: Report,
    *,
    against: Path | None = None,
    sink: Sink | None = None,
    progress: Progress | None = None,
) -> Report:
    """``report`` of the file at ``path``, with the quality and privacy problems added to it.

    ``against`` is the training file that a validation file must not nearly overlap with; ``sink`` gets
    every single finding; ``progress`` gets bytes done and bytes in all. No found value appears anywhere.
    Raises ``OSError`` when a file cannot be read.
    """
    raise NotImplementedError

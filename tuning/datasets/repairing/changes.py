"""What a repair changed, grouped."""

from __future__ import annotations

from dataclasses import dataclass

from tuning.datasets.report import LINES_KEPT


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change: the code of the problem it takes away, how often, the first 1,000 lines, in words.

    Lines are those of the file as dropped; none means the whole file.
    """

    code: str
    count: int
    lines: tuple[int, ...]
    message: str


class Changes:
    """Groups changes by code and words; memory does not grow with the file."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], list[int]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, code: str, line: int, words: str) -> None:
        """Note one change; ``line`` 0 is the whole file."""
        key = (code, words)
        lines = self._lines.setdefault(key, [])
        self._counts[key] = self._counts.get(key, 0) + 1
        if line and len(lines) < LINES_KEPT:
            lines.append(line)

    def all(self) -> tuple[Change, ...]:
        """The most frequent first."""
        found = [
            Change(code, count, tuple(self._lines[code, words]), words)
            for (code, words), count in self._counts.items()
        ]
        return tuple(sorted(found, key=lambda change: -change.count))

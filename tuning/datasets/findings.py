"""Collects what rows have wrong into grouped problems."""

from __future__ import annotations

from collections.abc import Callable

from tuning.datasets.report import LINES_KEPT, Problem
from tuning.datasets.rules import RULES

Sink = Callable[[int, str, str], object]
"""Called with line, code and detail of every single finding; not for those of the whole file."""


class _Group:
    __slots__ = ("count", "detail", "detail_line", "lines")

    def __init__(self) -> None:
        self.count = 0
        self.lines: list[int] = []
        self.detail = ""
        self.detail_line: int | None = None


class Findings:
    """One group a code: how many, the first lines, the first detail. Memory does not grow with the file."""

    def __init__(self, sink: Sink | None = None) -> None:
        self._groups: dict[str, _Group] = {}
        self._sink = sink

    def __contains__(self, code: str) -> bool:
        return code in self._groups

    def count(self, code: str) -> int:
        """How often ``code`` was found."""
        return self._groups[code].count if code in self._groups else 0

    def add(self, code: str, line: int, detail: str = "") -> None:
        """Note ``code`` for one line."""
        group = self._groups.setdefault(code, _Group())
        group.count += 1
        if len(group.lines) < LINES_KEPT:
            group.lines.append(line)
        if detail and not group.detail:
            group.detail, group.detail_line = detail, line
        if self._sink is not None:
            self._sink(line, code, detail)

    def add_whole(self, code: str, count: int = 1, detail: str = "") -> None:
        """Note ``code`` for the file as a whole; ``count`` is what its message counts."""
        group = self._groups.setdefault(code, _Group())
        group.count, group.detail = count, detail

    def make_whole(self, code: str) -> None:
        """Say ``code`` of the whole file in place of its lines."""
        self._groups[code].lines.clear()

    def forget(self, code: str) -> None:
        """Say nothing of ``code``: something wider says it."""
        self._groups.pop(code, None)

    def problems(self) -> tuple[Problem, ...]:
        """Errors first, then the most frequent; each with the message that names its first place."""
        found = [self._problem(code, group) for code, group in self._groups.items()]
        return tuple(sorted(found, key=lambda p: (p.severity != "error", -p.count)))

    @staticmethod
    def _problem(code: str, group: _Group) -> Problem:
        rule = RULES[code]
        message = rule.message(group.count, group.detail, group.detail_line)
        return Problem(rule.severity, code, group.count, tuple(group.lines), message, rule.fix)

"""Collects what rows have wrong into grouped problems."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tuning.datasets.report import LINES_KEPT, Problem
from tuning.datasets.rules import RULES

Sink = Callable[[int, str, str], object]
"""Called with line, code and detail of every single finding; not for those of the whole file."""


class Group(msgspec.Struct):
    """What was found of one code: how often, the first lines, the first detail and its line."""

    count: int = 0
    lines: list[int] = msgspec.field(default_factory=list[int])
    detail: str = ""
    detail_line: int | None = None


class Findings:
    """One group a code: how many, the first lines, the first detail. Memory does not grow with the file."""

    def __init__(self, sink: Sink | None = None) -> None:
        self.groups: dict[str, Group] = {}
        self._sink = sink

    def __contains__(self, code: str) -> bool:
        return code in self.groups

    def count(self, code: str) -> int:
        """How often ``code`` was found."""
        return self.groups[code].count if code in self.groups else 0

    def add(self, code: str, line: int, detail: str = "") -> None:
        """Note ``code`` for one line."""
        group = self.groups.setdefault(code, Group())
        group.count += 1
        if len(group.lines) < LINES_KEPT:
            group.lines.append(line)
        if detail and not group.detail:
            group.detail, group.detail_line = detail, line
        if self._sink is not None:
            self._sink(line, code, detail)

    def absorb(self, groups: dict[str, Group], before: int) -> None:
        """Take over what was found in the next part, after ``before`` lines; no sink is called."""
        for code, other in groups.items():
            group = self.groups.setdefault(code, Group())
            group.count += other.count
            room = LINES_KEPT - len(group.lines)
            group.lines.extend(line + before for line in other.lines[:room])
            if other.detail and not group.detail and other.detail_line is not None:
                group.detail, group.detail_line = other.detail, other.detail_line + before

    def add_whole(self, code: str, count: int = 1, detail: str = "") -> None:
        """Note ``code`` for the file as a whole; ``count`` is what its message counts."""
        group = self.groups.setdefault(code, Group())
        group.count, group.detail = count, detail

    def make_whole(self, code: str) -> None:
        """Say ``code`` of the whole file in place of its lines."""
        self.groups[code].lines.clear()

    def forget(self, code: str) -> None:
        """Say nothing of ``code``: something wider says it."""
        self.groups.pop(code, None)

    def problems(self) -> tuple[Problem, ...]:
        """Errors first, then the most frequent, then by place; each message names its first place."""
        found = [self._problem(code, group) for code, group in self.groups.items()]
        return tuple(sorted(found, key=lambda p: (p.severity != "error", -p.count, p.lines[:1], p.code)))

    @staticmethod
    def _problem(code: str, group: Group) -> Problem:
        rule = RULES[code]
        message = rule.message(group.count, group.detail, group.detail_line)
        return Problem(rule.severity, code, group.count, tuple(group.lines), message, rule.fix)

"""Which line of a dropped file each line of a file made from it stands for."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tuning.datasets.report import Problem, Report

_HEAD = b"lines-1\n"
_HERE = re.compile(r"\bline ([0-9][0-9,]*)\b(?! there)")
_THERE = re.compile(r"\bline ([0-9][0-9,]*)\b(?= there)")


class LineMap(Sequence[int]):
    """The line as dropped of every line of a derived file; both count from 1. Eight bytes a line.

    ``lines[0]`` is where the first line of the derived file came from.
    """

    __slots__ = ("_lines",)

    def __init__(self, lines: Iterable[int] = ()) -> None:
        self._lines = lines if isinstance(lines, array) else array("Q", lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._lines[index]

    def __iter__(self) -> Iterator[int]:
        return iter(self._lines)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LineMap) and self._lines == other._lines

    def append(self, dropped: int) -> None:
        """Note where the next line of the derived file came from."""
        self._lines.append(dropped)

    def dropped(self, line: int) -> int:
        """The line as dropped of ``line`` of the derived file; past the end, the last one known."""
        if not self._lines:
            return line
        return self._lines[min(max(line, 1), len(self._lines)) - 1]

    def after(self, earlier: LineMap | None) -> LineMap:
        """This map carried on through ``earlier``, when the file mapped here was itself derived."""
        return self if earlier is None else LineMap(earlier.dropped(line) for line in self)

    def report(self, report: Report) -> Report:
        """``report`` of the derived file, with the lines of the file as dropped."""
        privacy = {
            code: replace(found, lines=tuple(map(self.dropped, found.lines)))
            for code, found in report.privacy.items()
        }
        problems = tuple(self._problem(problem) for problem in report.problems)
        return replace(report, problems=problems, privacy=privacy)

    def there(self, report: Report) -> Report:
        """``report`` of another file that was compared with the derived one: its lines *there* as dropped."""
        problems = [replace(p, message=self._words(p.message, _THERE)) for p in report.problems]
        return replace(report, problems=tuple(problems))

    def words(self, message: str) -> str:
        """``message`` with the lines it names as dropped; what is quoted from the file stays as it is."""
        return self._words(message, _HERE)

    def _problem(self, problem: Problem) -> Problem:
        lines = tuple(self.dropped(line) for line in problem.lines)
        return replace(problem, lines=lines, message=self.words(problem.message))

    def _words(self, message: str, lines: re.Pattern[str]) -> str:
        pieces = message.split("`")
        pieces[::2] = [lines.sub(self._line, piece) for piece in pieces[::2]]
        return "`".join(pieces)

    def _line(self, match: re.Match[str]) -> str:
        return f"line {self.dropped(int(match[1].replace(',', ''))):,}"

    def to_bytes(self) -> bytes:
        """For keeping beside the derived file; little-endian, eight bytes a line."""
        return _HEAD + _little(self._lines).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> LineMap:
        """Read back :meth:`to_bytes`. Raises ``ValueError`` for other bytes."""
        if not data.startswith(_HEAD) or (len(data) - len(_HEAD)) % 8:
            raise ValueError("these bytes are no line map")
        lines = array("Q", data[len(_HEAD) :])
        return cls(_little(lines))


def _little(lines: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return lines
    swapped = array("Q", lines)
    swapped.byteswap()
    return swapped

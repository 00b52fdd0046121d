"""The report to download: a CSV table that names every line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from tuning.datasets.checking import check_file
from tuning.datasets.examination import examine
from tuning.datasets.linemap import LineMap
from tuning.datasets.report import Report
from tuning.datasets.rules import RULES

HEADINGS = ("line", "severity", "code", "what", "fix")


def write_csv_report(
    path: Path, report: Report, source: Path | None = None, *, lines: LineMap | None = None, **options: Any
) -> None:
    """Write ``report`` to ``path``, a row for each finding; an empty line number means the whole file.

    A report keeps the first 1,000 lines of each problem. With ``source`` (the file) and the ``options``
    of :func:`check_file` it was checked with, the file is read again, and examined again if it was: every
    line is named, each with what is wrong in that very place. ``lines`` says where the lines of ``source``
    stood in the file as dropped, when it was made from that.
    """
    with path.open("w", encoding="utf-8", newline="") as out:
        if source is not None:
            _write_again(out, report, source, lines, options)
        else:
            _write_kept(out, report)


def _write_kept(out: TextIO, report: Report) -> None:
    table = csv.writer(out)
    table.writerow(HEADINGS)
    for problem in report.problems:
        rule = RULES.get(problem.code)
        message = rule.message(1) if rule is not None and problem.lines else problem.message
        for line in problem.lines or ("",):
            table.writerow((line, problem.severity, problem.code, _safe(message), _safe(problem.fix)))


def _write_again(
    out: TextIO, report: Report, source: Path, lines: LineMap | None, options: dict[str, Any]
) -> None:
    table = csv.writer(out)
    table.writerow(HEADINGS)
    named: set[str] = set()

    def write(line: int, code: str, detail: str) -> None:
        rule = RULES[code]
        named.add(code)
        if lines is not None:
            line, detail = lines.dropped(line), lines.words(detail)
        table.writerow((line, rule.severity, code, _safe(rule.message(1, detail)), _safe(rule.fix)))

    again = check_file(source, sink=write, **options)
    if report.examined:
        again = examine(source, again, against=options.get("against"), sink=write)
    for problem in again.problems:
        if problem.code not in named:
            table.writerow(("", problem.severity, problem.code, _safe(problem.message), _safe(problem.fix)))


def _safe(cell: str) -> str:
    """Text a spreadsheet will not take for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell

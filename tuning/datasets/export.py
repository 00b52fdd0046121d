"""The report to download: a CSV table that names every line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from tuning.datasets.checking import check_file
from tuning.datasets.report import Report
from tuning.datasets.rules import RULES

HEADINGS = ("line", "severity", "code", "what", "fix")


def write_csv_report(path: Path, report: Report, source: Path | None = None, **options: Any) -> None:
    """Write ``report`` to ``path``, a row for each finding; an empty line number means the whole file.

    A report keeps the first 1,000 lines of each problem. For more, give ``source`` (the file) and the
    ``options`` of :func:`check_file` it was checked with: it is read again and every line is named.
    """
    with path.open("w", encoding="utf-8", newline="") as out:
        if source is not None and any(p.lines and p.count > len(p.lines) for p in report.problems):
            _write_again(out, source, options)
        else:
            _write_kept(out, report)


def _write_kept(out: TextIO, report: Report) -> None:
    table = csv.writer(out)
    table.writerow(HEADINGS)
    for problem in report.problems:
        for line in problem.lines or ("",):
            table.writerow((line, problem.severity, problem.code, _safe(problem.message), _safe(problem.fix)))


def _write_again(out: TextIO, source: Path, options: dict[str, Any]) -> None:
    table = csv.writer(out)
    table.writerow(HEADINGS)

    def write(line: int | None, code: str, detail: str) -> None:
        rule = RULES[code]
        message = rule.message(1, detail)
        table.writerow(("" if line is None else line, rule.severity, code, _safe(message), _safe(rule.fix)))

    check_file(source, sink=write, **options)


def _safe(cell: str) -> str:
    """Text a spreadsheet will not take for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell

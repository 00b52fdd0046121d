"""Lets validation rows stand that are training rows too, when a person says so."""

from __future__ import annotations

from dataclasses import replace

from tuning.datasets.report import Report

OVERLAPS = frozenset({"validation_overlap", "validation_near_overlap"})


def allow_overlap(report: Report) -> Report:
    """The report on a validation file in which an overlap no longer blocks; it is still said."""
    problems = tuple(
        replace(problem, severity="warning") if problem.code in OVERLAPS else problem
        for problem in report.problems
    )
    found = sum(problem.count for problem in report.errors if problem.code in OVERLAPS)
    verdict = "reject" if any(problem.severity == "error" for problem in problems) else "accept"
    bad_rows = max(0, report.bad_rows - found)
    return replace(report, problems=problems, verdict=verdict, bad_rows=bad_rows)

"""The second look at a file: quality and privacy, after structure and tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from tuning.datasets.crew import Crew, workers_for
from tuning.datasets.decoding import READABLE, Unreadable, as_text
from tuning.datasets.findings import Findings, Sink
from tuning.datasets.lines import parts
from tuning.datasets.looking import MOST_ANSWERS, MOST_PROMPTS, job
from tuning.datasets.quality import TraceFile
from tuning.datasets.quality.judging import near_overlap, remarks
from tuning.datasets.quality.nearness import MAX_ROWS
from tuning.datasets.report import LINES_KEPT, Finding, Problem, PromptShare, Report, Severity
from tuning.datasets.rules import RULES
from tuning.datasets.rules.beyond import RULES as BEYOND
from tuning.datasets.tokenizers import SteadyTokenizer

Progress = Callable[[int, int], object]
PIECE = 1 << 20
"""Bytes that are looked at together."""
_PACKED = READABLE | {"binary_file", "empty_file"}
"""What is looked at as the text that is in it."""
_SHOWN_PROMPTS = 5
_VARIED = frozenset({"secret", "national_id"})
"""Classes of several kinds: which one it is helps to find it."""
_CODES = frozenset(rule.code for rule in BEYOND)


def examine(
    path: Path,
    report: Report,
    *,
    against: Path | None = None,
    sink: Sink | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Report:
    """``report`` of the file at ``path``, with the quality and privacy problems added to it.

    ``against`` is the training file that a validation file must not nearly overlap with; ``sink`` gets
    every single finding; ``progress`` gets bytes done and bytes in all; ``workers`` is how many processes
    work beside this one (None: as many as the file is worth). No found value appears anywhere. Raises
    ``OSError`` when a file cannot be read.
    """
    packed = next((problem.code for problem in report.problems if problem.code in _PACKED), None)
    if packed is None:
        return _examine(path, report, against, sink, progress, workers)
    if not report.bytes:
        return replace(report, examined=True)
    try:
        with as_text(path, packed) as text:
            return _examine(text.path, report, against, sink, progress, workers)
    except Unreadable as problem:
        said = f"Not searched for private values: {problem}"
        return replace(report, examined=True, notes=(*report.notes, said))


def _examine(
    path: Path,
    report: Report,
    against: Path | None,
    sink: Sink | None,
    progress: Progress | None,
    workers: int | None,
) -> Report:
    findings, private = Findings(sink), _Private()
    notes = list(report.notes)
    with ExitStack() as stack:
        traces = stack.enter_context(TraceFile())
        prompts: dict[int, str] = {}
        answers: list[str] = []
        fixable = _collect(path, workers, traces, findings, private, progress, prompts, answers)
        shares = _shares(traces, prompts)
        for line, code, detail in remarks(traces.all()):
            findings.add(code, line, detail)
        if against is not None:
            training = stack.enter_context(TraceFile())
            _collect(against, workers, training, None, None, None, {}, [])
            for line, code, detail in near_overlap(training.all(), traces.all()):
                findings.add(code, line, detail)
        report = replace(report, answer_tokens=_mean_tokens(answers, report))
        if traces.rows > MAX_ROWS:
            notes.append(
                f"Near duplicates were looked for in {MAX_ROWS:,} of {traces.rows:,} rows, drawn by chance"
            )
    return _add(report, findings.problems(), private.found(), tuple(notes), fixable, shares)


def _mean_tokens(answers: list[str], report: Report) -> float | None:
    if not answers or report.tokens is None:
        return None
    tokenizer = SteadyTokenizer(report.tokens.encoding)
    return round(sum(map(tokenizer.count, answers)) / len(answers), 2)


def _shares(traces: TraceFile, prompts: dict[int, str]) -> tuple[PromptShare, ...]:
    """The most common system prompts; a file where no row has one has no shares."""
    keys, counts = np.unique(traces.all()["system"], return_counts=True)
    common = np.argsort(-counts, kind="stable")[:_SHOWN_PROMPTS]
    if not keys.any():
        return ()
    return tuple(
        PromptShare(prompts.get(int(keys[place]), ""), int(counts[place]), float(counts[place]) / traces.rows)
        for place in common
    )


def _collect(
    path: Path,
    workers: int | None,
    traces: TraceFile,
    findings: Findings | None,
    private: _Private | None,
    progress: Progress | None,
    prompts: dict[int, str],
    answers: list[str],
) -> int:
    """Look at every piece, in order; answers how many rows with errors a repair puts right."""
    total = path.stat().st_size
    kept = min(MOST_ANSWERS, MOST_ANSWERS * PIECE // max(total, 1) + 1)
    before = fixable = 0
    with (
        path.open("rb") as stream,
        Crew(
            job(path, private is not None, kept),
            parts(stream, size=PIECE),
            workers_for(total) if workers is None else workers,
        ) as crew,
    ):
        for done, piece in crew:
            traces.add(piece.traces, before)
            for line, code, count, kind in piece.private:
                if findings is not None and private is not None:
                    findings.add(code, before + line, kind if code in _VARIED else "")
                    private.add(code, before + line, count)
            if len(prompts) < MOST_PROMPTS:
                prompts |= piece.prompts
            answers += piece.answers
            before += piece.lines
            fixable += piece.fixable
            if progress is not None:
                progress(done, total)
    return fixable


class _Private:
    """Counts private values by class; keeps the first lines."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lines: dict[str, list[int]] = {}

    def add(self, code: str, line: int, count: int) -> None:
        self._counts[code] += count
        lines = self._lines.setdefault(code, [])
        if len(lines) < LINES_KEPT:
            lines.append(line)

    def found(self) -> dict[str, Finding]:
        """Each class with its count; those that need a decision first, as in the table of rules."""
        return {
            rule.code: Finding(self._counts[rule.code], tuple(self._lines[rule.code]))
            for rule in BEYOND
            if rule.code in self._counts
        }


def _add(
    report: Report,
    problems: tuple[Problem, ...],
    private: dict[str, Finding],
    notes: tuple[str, ...],
    fixable: int,
    prompts: tuple[PromptShare, ...],
) -> Report:
    kept = [problem for problem in report.problems if problem.code not in _CODES]
    both = sorted([*kept, *problems], key=lambda problem: (problem.severity != "error", -problem.count))
    errors: set[Severity] = {problem.severity for problem in both}
    return replace(
        report,
        problems=tuple(both),
        verdict="reject" if "error" in errors else "accept",
        examined=True,
        privacy=private,
        prompts=prompts,
        notes=notes,
        fixable=fixable,
        bad_rows=report.bad_rows + sum(p.count for p in problems if RULES[p.code].severity == "error"),
    )


__all__ = ["PIECE", "Progress", "examine"]

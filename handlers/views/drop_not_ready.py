"""The card of a file that is not ready: how much needs work, what, where, and what can be done about it."""

from __future__ import annotations

from handlers.answer import Block, Message
from handlers.text import esc, name, number, plural
from handlers.views.dataset_words import (
    DropFacts,
    button_row,
    copies_line,
    found_private,
    more_menu,
    origin_lines,
    report_of,
    rows,
    since_line,
)
from handlers.views.layout import Line, Part, bold, button, rich, small, ticks
from handlers.views.problem_words import fixable_codes, notes_of, problem_line, read_as
from handlers.views.reading_form import UNREADABLE
from storage.records import Dataset
from tuning.datasets import RECOGNISED
from tuning.datasets.report import Report

PROBLEMS_SHOWN = 8
WARNINGS_SHOWN = 5


def not_ready(dataset: Dataset, facts: DropFacts) -> Message:
    """The card."""
    report, title = report_of(dataset), name(dataset.name)
    verdict = _verdict(report)
    head: Line = ["❌ ", bold("Not ready"), " · ", title, " · ", *_strong(verdict)]
    blocks: list[Block] = [rich(head)]
    if made := origin_lines(dataset, facts):
        blocks.append(rich(*made))
    certain = fixable_codes(report, dataset.fixable)
    blocks.append(
        rich(
            *[
                problem_line(problem, fixable=problem.code in certain, said=problem.message == verdict)
                for problem in report.errors[:PROBLEMS_SHOWN]
            ]
        )
    )
    if (since := since_line(dataset, facts)) is not None:
        blocks.append(rich(since))
    blocks += [small(note) for note in _notes(dataset, report, facts)]
    blocks.append(_buttons(dataset, report, facts))
    blocks.append(small("Or drop the corrected file in this channel; I will show what changed."))
    words = verdict[:1].lower() + verdict[1:]
    return Message(f"Not ready: {esc(title)}, {esc(words)}", blocks)


def _verdict(report: Report) -> str:
    if report.errors and all(not problem.lines for problem in report.errors):
        return report.errors[0].message
    return f"{number(report.bad_rows)} of {rows(report)} need work"


def _strong(verdict: str) -> list[str | Part]:
    return [Part(part, "bold") if isinstance(part, str) else part for part in ticks(verdict)]


def _notes(dataset: Dataset, report: Report, facts: DropFacts) -> list[str]:
    notes: list[str] = []
    more = len(report.errors) - PROBLEMS_SHOWN
    if more > 0:
        notes.append(f"And {plural(more, 'more kind')} of problem in the full report.")
    if beside := notes_of(report):
        notes.append("Not blocking: " + " · ".join(beside[:WARNINGS_SHOWN]))
    if decide := found_private(report, to_decide=True):
        notes.append("To decide before it leaves: " + " · ".join(decide))
    if dataset.examining:
        notes.append("Still looking for near duplicates and private data.")
    notes += [f"{note}." for note in report.notes]
    notes += [words[:1].upper() + words[1:] for words in copies_line(facts)]
    return [*notes, _read_as(report)]


def _read_as(report: Report) -> str:
    tokens = f" · {number(report.tokens.total)} tokens" if report.tokens else ""
    return f"{read_as(report)}{tokens} · checked on your server, nothing sent to a provider"


def _buttons(dataset: Dataset, report: Report, facts: DropFacts) -> Block:
    repaired = any(
        copy.origin == "repair" and copy.read_as is None and copy.state != "failed" for copy in facts.copies
    )
    readable = not any(problem.code in UNREADABLE for problem in report.errors)
    fix = None
    if dataset.fixable and not repaired:
        of = max(report.bad_rows, dataset.fixable)
        words = f"Fix {number(dataset.fixable)} of {number(of)}" if report.bad_rows else "Fix it"
        fix = button(words, "fix", str(dataset.id), primary=True)
    with_lines = any(problem.lines for problem in report.problems)
    choices = [("redact", "Make a redacted copy")] if report.privacy else []
    if fix is None and not repaired and any(problem.code in RECOGNISED for problem in report.errors):
        fix = button("Read it as…", "read_as", str(dataset.id), primary=True)
    elif readable:
        choices.append(("read_as", "Read as another format…"))
    choices += [("close", "Not training data"), ("about", "About this file")]
    return button_row(
        fix,
        button("Full report", "report", str(dataset.id)) if with_lines else None,
        more_menu(dataset, *choices),
    )

"""Problems and notes of a check as they stand on a card: what, where, what to do; notes in a few words."""

from __future__ import annotations

import re

from handlers.text import lines, plural
from handlers.views.dataset_words import private_words
from handlers.views.layout import Line, bold, ticks
from tuning.datasets import HOLD, can_repair
from tuning.datasets.report import Problem, Report

_SHORT: dict[str, tuple[str, str]] = {
    "duplicate_examples": ("duplicate", "duplicates"),
    "near_duplicates": ("near duplicate", "near duplicates"),
    "conflicting_answers": (
        "row answers a prompt differently than an earlier one",
        "rows answer a prompt differently than an earlier one",
    ),
    "short_answer": ("answer far shorter than the rest", "answers far shorter than the rest"),
    "missing_system_prompt": ("row without the system prompt", "rows without the system prompt"),
    "no_user_message": ("row without a user message", "rows without a user message"),
    "over_token_limit": ("row longer than the token limit", "rows longer than the token limit"),
    "blank_lines": ("blank line", "blank lines"),
    "empty_content": ("empty message", "empty messages"),
    "same_outputs": ("pair of identical outputs", "pairs of identical outputs"),
    "template_token": ("row with a template token", "rows with a template token"),
}
_COUNT = re.compile(r"[0-9][0-9,]* \w+")
_WHOLE = {
    "few_examples": "few examples (50 to 100 show an effect)",
    "crlf": "Windows line ends",
    "bom": "a byte order mark",
}


def problem_line(problem: Problem, *, fixable: bool = False, said: bool = False) -> Line:
    """One problem: what, where, what to do. ``said``: the headline says already what."""
    where = lines(problem.lines, problem.count)
    if problem.count == 1 and f"({where}," in problem.message:
        where = ""
    todo = ticks(problem.fix)
    if fixable:
        todo = ["I can fix this" if problem.count == 1 else "I can fix these"]
    if said:
        return ["→ ", *todo]
    return [*_counted(problem.message), f" · {where}" if where else "", " → ", *todo]


def _counted(message: str) -> Line:
    """A message whose count (``9 rows``) stands out."""
    count = _COUNT.match(message)
    return [bold(count[0]), *ticks(message[count.end() :])] if count else ticks(message)


def fixable_codes(report: Report, fixable: int) -> frozenset[str]:
    """Codes of the errors that a repair takes away wholly, as far as that is certain."""
    found = [problem for problem in report.errors if can_repair(problem)]
    return frozenset(p.code for p in found) if sum(p.count for p in found) <= fixable else frozenset()


def notes_of(report: Report) -> list[str]:
    """What does not block, in a few words each; what a person must decide is said elsewhere."""
    return [_note(problem, report) for problem in report.warnings if problem.code not in HOLD]


def _note(problem: Problem, report: Report) -> str:
    if problem.code in report.privacy:
        return private_words(problem.code, report.privacy[problem.code].count)
    if problem.code in _SHORT:
        return plural(problem.count, *_SHORT[problem.code])
    return _WHOLE.get(problem.code, problem.message)


def prompts_line(report: Report) -> str:
    """``3 system prompts, the most common in 80% of the rows, none in 5%``; nothing where all share one."""
    if len(report.prompts) < 2:
        return ""
    common = max((one.share for one in report.prompts if one.text), default=0.0)
    none = next((one.share for one in report.prompts if not one.text), 0.0)
    parts = [plural(report.multi_system, "system prompt"), f"the most common in {common:.0%} of the rows"]
    return ", ".join(parts + ([f"none in {none:.0%}"] if none else []))


_KINDS = {
    "supervised": "chat, supervised",
    "dpo": "preferences (DPO)",
    "reinforcement": "prompts for reinforcement",
}


def read_as(report: Report) -> str:
    """What the rows were taken for."""
    return f"Read as {_KINDS.get(report.method, report.method)}" if report.method else "Format not recognised"

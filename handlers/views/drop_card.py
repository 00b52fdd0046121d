"""The card under a dropped file: being checked, ready, not ready, not readable at all, closed."""

from __future__ import annotations

from handlers.answer import Message
from handlers.text import esc, name, plural, size
from handlers.views.dataset_words import DropFacts, report_of
from handlers.views.drop_not_ready import not_ready
from handlers.views.drop_ready import ready
from handlers.views.layout import Line, bold, person, rich, small
from storage.records import Dataset

__all__ = ["DropFacts", "drop_card", "reaction"]

EYES = "eyes"
NO_REACTION = "none"
"""Stands for no reaction of ours."""
_HARMLESS = frozenset({"crlf", "bom", "blank_lines", "few_examples"})


def drop_card(dataset: Dataset, facts: DropFacts | None = None) -> Message:
    """The card in its present state."""
    facts = facts or DropFacts()
    match dataset.state:
        case "checking":
            return _checking(dataset, facts)
        case "failed":
            return _failed(dataset)
        case "not_ready":
            return not_ready(dataset, facts)
        case "ready":
            return ready(dataset, facts)
        case "closed" | "deleted":
            return _closed(dataset)


def reaction(dataset: Dataset) -> str:
    """The reaction on the drop: 👀, then ✅, ⚠️ (ready, look first) or ❌; none once it is closed."""
    match dataset.state:
        case "closed" | "deleted":
            return NO_REACTION
        case "checking":
            return EYES
        case "failed":
            return "x"
        case _ if dataset.examining:
            return EYES
        case "not_ready":
            return "x"
        case "ready":
            report = report_of(dataset)
            looks = [problem for problem in report.warnings if problem.code not in _HARMLESS]
            return "warning" if looks else "white_check_mark"


def _checking(dataset: Dataset, facts: DropFacts) -> Message:
    title = name(dataset.name)
    read = f" · {size(dataset.bytes)}" if dataset.bytes else ""
    done = f" · {dataset.progress:.0%} read" if dataset.progress else ""
    kinds = {"repair": "Reading" if dataset.read_as else "Repairing"}
    what = (kinds | {"redaction": "Redacting", "split": "Splitting", "omission": "Copying"}).get(
        dataset.origin or "", "Checking"
    )
    return Message(
        f"{what} {esc(title)}",
        [
            rich(["👀 ", bold(what), " · ", title, read, done]),
            small("On your server; nothing is sent to a provider."),
        ],
    )


def _failed(dataset: Dataset) -> Message:
    title = name(dataset.name)
    why = dataset.error or "It could not be read."
    return Message(
        f"Could not read {esc(title)}",
        [
            rich(["❌ ", bold("Could not read it"), " · ", title], [why]),
            small("Drop the file again to try once more."),
        ],
    )


def _closed(dataset: Dataset) -> Message:
    title = name(dataset.title)
    by: Line = [" by ", person(dataset.closed_by)] if dataset.closed_by else []
    if dataset.state == "closed":
        words: Line = [title, " · not training data, said", *by, ". It is no longer kept here."]
        return Message(f"Closed: {esc(title)}", [small(words)])
    kept = "" if dataset.closed_by else _kept_words(dataset)
    also = f" and at {name(' and '.join(dataset.gone_from), 60)}" if dataset.gone_from else ""
    words = [title, f" · deleted here{also}", *by, kept, ". Drop it again to use it."]
    return Message(f"Deleted: {esc(title)}", [small(words)])


def _kept_words(dataset: Dataset) -> str:
    if dataset.closed_at is None:
        return ""
    days = max(1, round((dataset.closed_at - dataset.created_at) / 86_400))
    return f" after {plural(days, 'day')}"

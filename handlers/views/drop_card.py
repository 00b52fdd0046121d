"""The card under a dropped file: being checked, ready, not ready, or not readable at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.answer import Block, Message
from handlers.text import about, esc, lines, name, number, plural, size
from handlers.views.layout import Line, Part, actions, bold, button, moment, rich, small, ticks
from handlers.views.prices import Offer, offer_line
from storage.records import Dataset, Upload
from tuning.datasets.report import Problem, Report

PROBLEMS_SHOWN = 8
WARNINGS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class DropFacts:
    """What the card shows beside the dataset itself."""

    offers: Sequence[Offer] = ()
    uploads: Sequence[tuple[str, Upload]] = ()
    """Provider label and upload."""
    jobs: Sequence[str] = ()
    """Names of jobs that trained on it."""
    has_validation: bool = False


def drop_card(dataset: Dataset, facts: DropFacts | None = None) -> Message:
    """The card in its present state."""
    facts = facts or DropFacts()
    match dataset.state:
        case "checking":
            return _checking(dataset)
        case "failed":
            return _failed(dataset)
        case "not_ready":
            return _not_ready(dataset)
        case "ready":
            return _ready(dataset, facts)


REACTIONS = {"checking": "eyes", "failed": "x", "not_ready": "x"}


def reaction(dataset: Dataset) -> str:
    """The reaction on the drop: 👀, then ✅, ⚠️ (ready, look first) or ❌."""
    if dataset.state != "ready":
        return REACTIONS[dataset.state]
    looks = [problem for problem in _report(dataset).warnings if problem.code not in _HARMLESS]
    return "warning" if looks else "white_check_mark"


_HARMLESS = frozenset({"crlf", "bom", "blank_lines"})


def _report(dataset: Dataset) -> Report:
    return Report.from_json(dataset.report)


def _checking(dataset: Dataset) -> Message:
    title = name(dataset.name)
    read = f" · {size(dataset.bytes)}" if dataset.bytes else ""
    return Message(
        f"Checking {esc(title)}",
        [
            rich(["👀 ", bold("Checking"), " · ", title, read]),
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


def _not_ready(dataset: Dataset) -> Message:
    report, title = _report(dataset), name(dataset.name)
    whole = all(not problem.lines for problem in report.errors)
    verdict = (
        report.errors[0].message
        if whole and report.errors
        else f"{number(report.bad_rows)} of {_rows(report)} need work"
    )
    blocks: list[Block] = [rich(["❌ ", bold("Not ready"), " · ", title, " · ", *_strong(verdict)])]
    blocks.append(rich(*[_problem(problem) for problem in report.errors[:PROBLEMS_SHOWN]]))
    more = len(report.errors) - PROBLEMS_SHOWN
    notes: list[Line | str] = (
        [f"And {plural(more, 'more kind')} of problem in the full report."] if more > 0 else []
    )
    if report.warnings:
        notes.append(
            "Not blocking: " + " · ".join(problem.message for problem in report.warnings[:WARNINGS_SHOWN])
        )
    notes.append(_read_as(report))
    blocks += [small(note) for note in notes]
    if any(problem.lines for problem in report.problems):
        blocks.append(actions(button("Full report", "report", str(dataset.id))))
    blocks.append(small("Or drop the corrected file in this channel."))
    return Message(f"Not ready: {esc(title)}, {esc(verdict)}", blocks)


def _ready(dataset: Dataset, facts: DropFacts) -> Message:
    report, title = _report(dataset), f"{name(dataset.name)} v{dataset.version}"
    examples = plural(report.examples, "example")
    blocks: list[Block] = [
        rich(["✅ ", bold("Ready to train"), " · ", title, f" · {examples}", _tokens(report)]),
    ]
    if facts.offers:
        blocks.append(rich(*[offer_line(offer) for offer in facts.offers[:4]]))
    looks = [problem.message for problem in report.warnings[:WARNINGS_SHOWN]]
    if not facts.has_validation:
        looks.append("no validation file, so overfitting cannot be seen")
    if looks:
        blocks.append(rich(["⚠️ Look at first: ", *ticks(" · ".join(looks))]))
    if facts.jobs:
        names = ", ".join(facts.jobs[:5])
        blocks.append(small(f"Trained before: {names}"))
    blocks.append(small(*_history(dataset, facts)))
    buttons = [button("Start…", "start", str(dataset.id), primary=True)]
    if any(problem.lines for problem in report.problems):
        buttons.append(button("Full report", "report", str(dataset.id)))
    blocks.append(actions(*buttons))
    price = f", {about(facts.offers[0].usd)}" if facts.offers else ""
    return Message(f"Ready to train: {esc(title)}, {examples}{price}", blocks)


def _tokens(report: Report) -> str:
    tokens = report.tokens
    if tokens is None:
        return ""
    limit = f" of {number(tokens.limit)}" if tokens.limit else ""
    sign = "" if tokens.exact else "about "
    spread = f"median {number(tokens.median)}, longest {number(tokens.max)}{limit}"
    return f" · {sign}{number(tokens.total)} tokens ({spread})"


def _rows(report: Report) -> str:
    return plural(report.rows, "row")


def _strong(verdict: str) -> list[str | Part]:
    return [Part(part, "bold") if isinstance(part, str) else part for part in ticks(verdict)]


def _problem(problem: Problem) -> Line:
    where = lines(problem.lines, problem.count)
    return [*ticks(problem.message), f" · {where}" if where else "", " → ", *ticks(problem.fix)]


def _read_as(report: Report) -> str:
    kind = f"Read as {report.method} chat" if report.method else "Format not recognised"
    tokens = f" · {number(report.tokens.total)} tokens" if report.tokens else ""
    return f"{kind}{tokens} · checked on your server, nothing sent to a provider"


def _history(dataset: Dataset, facts: DropFacts) -> list[Line | str]:
    notes: list[Line | str] = [_sent(label, upload) for label, upload in facts.uploads]
    if not notes:
        notes.append("checked on your server, nothing sent to a provider yet")
    priced = {
        offer.base.priced_on for offer in facts.offers if offer.base.priced_on and offer.profile.charges
    }
    if priced:
        notes.append(f"prices of {max(priced)}")
    notes.append(["dropped ", moment(dataset.created_at, "{date_short_pretty} {time}")])
    return notes


def _sent(label: str, upload: Upload) -> str:
    place = name(label, 40)
    match upload.state:
        case "sent":
            return f"sent to {place}"
        case "failed":
            return f"could not be sent to {place}: {name(upload.error or 'no reason given', 120)}"
        case _:
            return f"being sent to {place}"

"""The card of a file that is ready: what training would cost, what to look at, what to do next."""

from __future__ import annotations

from handlers.answer import Block, Message
from handlers.text import about, lines, name, number, plural, size
from handlers.views.dataset_words import (
    DropFacts,
    button_row,
    copies_line,
    found_private,
    held_buttons,
    more_menu,
    origin_lines,
    overlap_words,
    report_of,
    since_line,
    title_text,
)
from handlers.views.layout import Line, bold, button, moment, person, rich, small, ticks
from handlers.views.prices import day, offer_line
from handlers.views.problem_words import notes_of, prompts_line
from storage.records import Dataset, Upload
from tuning.datasets.report import Report
from tuning.jobs.uploading import PART_BYTES

WARNINGS_SHOWN = 5


def ready(dataset: Dataset, facts: DropFacts) -> Message:
    """The card."""
    report, held_out = report_of(dataset), dataset.purpose == "validation"
    verdict = "Ready as validation data" if held_out else "Ready to train"
    examples = plural(report.examples, "example")
    head: Line = ["✅ ", bold(verdict), " · ", name(dataset.title), f" · {examples}", _tokens(report)]
    blocks: list[Block] = [rich(head)]
    if made := origin_lines(dataset, facts):
        blocks.append(rich(*made))
    if facts.offers and not held_out:
        blocks.append(rich(*[offer_line(offer) for offer in facts.offers[:4]]))
    blocks += [rich(line) for line in _body(dataset, report, facts)]
    if words := prompts_line(report):
        blocks.append(small(words))
    if facts.jobs:
        blocks.append(small(f"Trained before: {', '.join(facts.jobs[:5])}"))
    if beside := [words[:1].upper() + words[1:] for words in copies_line(facts)]:
        blocks.append(small(*beside))
    blocks.append(small(*_history(dataset, facts)))
    blocks += _buttons(dataset, report, facts)
    price = f", {about(facts.offers[0].usd)}" if facts.offers and not held_out else ""
    return Message(f"{verdict}: {title_text(dataset)}, {examples}{price}", blocks)


def _body(dataset: Dataset, report: Report, facts: DropFacts) -> list[Line]:
    found: list[Line] = []
    if (since := since_line(dataset, facts)) is not None:
        found.append(since)
    if facts.validation is not None:
        found.append(_validation(facts.validation, facts))
    looks = notes_of(report)[:WARNINGS_SHOWN]
    if not facts.method_taken:
        looks.insert(0, f"no provider here trains with {report.method} data")
    if dataset.purpose == "training" and not (facts.has_validation or facts.validation):
        looks.append("no validation file, so overfitting cannot be seen")
    if looks:
        found.append(["⚠️ Look at first: ", *ticks(" · ".join(looks))])
    if decide := found_private(report, to_decide=True):
        found.append(_decision(dataset, decide, facts))
    return found


def _validation(validation: Dataset, facts: DropFacts) -> Line:
    overlap, words = facts.overlap, overlap_words(facts.overlap)
    where = f", {lines(tuple(overlap.lines), overlap.rows)}" if overlap and overlap.rows else ""
    sign = "⚠️ " if overlap and overlap.rows else ""
    state = "" if validation.state == "ready" else " (not ready)"
    count = plural(validation.examples, "example")
    rest = f", {count}{state}" + (f" · {words}{where}" if words else "")
    by = overlap.allowed_by if overlap and overlap.rows else None
    allowed: Line = [" · stays so on the word of ", person(by)] if by else []
    return [f"{sign}Validation: ", bold(name(validation.title, 60)), rest, *allowed]


def _decision(dataset: Dataset, decide: list[str], facts: DropFacts) -> Line:
    what = " · ".join(decide)
    if facts.held:
        return ["🔒 ", bold("To decide before it leaves: "), what, ". Until then it stays on your server."]
    if dataset.released_by:
        return ["Sent with ", what, ": decided by ", person(dataset.released_by)]
    return ["With ", what, ": somebody decided before that this content may leave"]


def _tokens(report: Report) -> str:
    tokens = report.tokens
    if tokens is None:
        return ""
    limit = f" of {number(tokens.limit)}" if tokens.limit else ""
    sign = "" if tokens.exact else "about "
    spread = f"median {number(tokens.median)}, longest {number(tokens.max)}{limit}"
    return f" · {sign}{number(tokens.total)} tokens ({spread})"


def _history(dataset: Dataset, facts: DropFacts) -> list[Line | str]:
    notes: list[Line | str] = []
    if dataset.examining:
        notes.append("still looking for near duplicates and private data; nothing leaves before")
    notes += report_of(dataset).notes
    notes += [_sent(label, upload, dataset.bytes) for label, upload in facts.uploads]
    if not facts.uploads:
        notes.append("checked on your server, nothing sent to a provider yet")
    priced = {
        offer.base.priced_on for offer in facts.offers if offer.base.priced_on and offer.profile.charges
    }
    if priced:
        notes.append(f"prices of {day(max(priced))}")
    verb = "made " if dataset.origin else "dropped "
    notes.append([verb, moment(dataset.created_at, "{date_short_pretty} {time}")])
    return notes


def _sent(label: str, upload: Upload, whole: int) -> str:
    place = name(label, 40)
    match upload.state:
        case "sent":
            return f"sent to {place}"
        case "failed":
            return f"could not be sent to {place}: {name(upload.error or 'no reason given', 120)}"
        case _:
            taken = min(len(upload.part_ids) * PART_BYTES, whole)
            return f"being sent to {place}" + (f", {size(taken)} of {size(whole)}" if taken else "")


def _buttons(dataset: Dataset, report: Report, facts: DropFacts) -> list[Block]:
    redacted = any(copy.origin == "redaction" and copy.state != "failed" for copy in facts.copies)
    deciding = facts.held and not redacted
    held_out = dataset.purpose == "validation"
    choices = [("report", "Full report")] if any(problem.lines for problem in report.problems) else []
    if report.privacy and not (redacted or deciding):
        choices.append(("redact", "Make a redacted copy"))
    choices += [("chart", "Token chart"), ("about", "About this file")]
    first = not (deciding or held_out)
    row = button_row(
        button("Start…", "start", str(dataset.id), primary=first) if not held_out else None,
        button("Add validation…", "add_validation", str(dataset.id))
        if not held_out and facts.validation is None
        else None,
        more_menu(dataset, *choices),
    )
    return [button_row(*held_buttons(dataset)), row] if deciding else [row]

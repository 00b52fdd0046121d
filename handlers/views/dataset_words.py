"""What is said about a dataset, in words that stand on several cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.answer import Block
from handlers.text import esc, lines, money, name, number, plural
from handlers.views.layout import Line, actions, bold, button, confirm, option, ticks
from handlers.views.prices import Offer
from storage.records import Dataset, Overlap, Upload
from tuning.datasets import FORMATS, HOLD
from tuning.datasets.report import Report

MORE = "dataset_more"
"""Action of the menu at the end of a card's buttons; its values are ``WHAT:DATASET_ID``."""
CHANGES_SHOWN = 5
_PRIVATE: dict[str, tuple[str, str]] = {
    "secret": ("secret key or password", "secret keys or passwords"),
    "private_key": ("private key", "private keys"),
    "payment_card": ("payment card", "payment cards"),
    "national_id": ("national id number", "national id numbers"),
    "email": ("e-mail address", "e-mail addresses"),
    "phone": ("phone number", "phone numbers"),
    "ip_address": ("IP address", "IP addresses"),
}


@dataclass(frozen=True, slots=True)
class DropFacts:
    """What the card shows beside the dataset itself."""

    offers: Sequence[Offer] = ()
    uploads: Sequence[tuple[str, Upload]] = ()
    """Provider label and upload."""
    jobs: Sequence[str] = ()
    """Names of jobs that trained on it."""
    has_validation: bool = False
    """Whether there is any data that could validate it."""
    origin: Dataset | None = None
    """What it was made from."""
    copies: Sequence[Dataset] = ()
    """What was made from it, newest first."""
    validation: Dataset | None = None
    """The validation data that belongs to it."""
    overlap: Overlap | None = None
    since_jobs: Sequence[str] = ()
    """Jobs that the last version made."""
    since_usd: float | None = None
    """What this version costs more than the last one."""
    method_taken: bool = True
    """Whether a provider here trains with data of this kind, as far as is known."""
    held: bool = False
    """It waits for a person's decision before it leaves."""


def report_of(dataset: Dataset) -> Report:
    """The kept report."""
    return Report.from_json(dataset.report)


def private_words(code: str, count: int) -> str:
    """``12 phone numbers``."""
    one, many = _PRIVATE.get(code, (f"private value ({code})", f"private values ({code})"))
    return plural(count, one, many)


def found_private(report: Report, *, to_decide: bool) -> list[str]:
    """What of each private class was found, with its first lines; ``to_decide``: those that hold a file."""
    return [
        f"{private_words(code, found.count)}, {lines(found.lines, len(found.lines))}".removesuffix(", ")
        for code, found in report.privacy.items()
        if (code in HOLD) == to_decide
    ]


def rows(report: Report) -> str:
    """``1,240 rows``."""
    return plural(report.rows, "row")


def since_line(dataset: Dataset, facts: DropFacts) -> Line | None:
    """``Since v6 (made triage-6): +140 rows, 12 gone, 9 changed · +$0.49``."""
    since = dataset.since
    if not since:
        return None
    made = f" (made {', '.join(facts.since_jobs[:3])})" if facts.since_jobs else ""
    head = f"Since v{since.get('version')}{made}: "
    added, removed, changed = (int(since.get(key) or 0) for key in ("added", "removed", "changed"))
    if not (added or removed or changed):
        return [head, "the same examples, written differently"]
    parts = [f"+{plural(added, 'row')}" if added else "", f"{number(removed)} gone" if removed else ""]
    parts.append(f"{number(changed)} changed" if changed else "")
    words = ", ".join(part for part in parts if part)
    return [head, bold(words), _tokens_more(since.get("tokens")), _usd_more(facts.since_usd)]


def _tokens_more(delta: Any) -> str:
    if not isinstance(delta, int) or not delta:
        return ""
    return f" · {'+' if delta > 0 else '−'}{number(abs(delta))} tokens"


def _usd_more(usd: float | None) -> str:
    if usd is None or abs(usd) < 0.005:
        return ""
    return f" · {'+' if usd > 0 else '−'}{money(abs(usd))}"


def origin_lines(dataset: Dataset, facts: DropFacts) -> list[Line]:
    """What the dataset was made from and what was changed; nothing for a drop."""
    if dataset.origin is None:
        return []
    source = name(facts.origin.title, 60) if facts.origin else "an earlier version"
    match dataset.origin:
        case "repair":
            how = f"Read as {FORMATS[dataset.read_as].title}: copy" if dataset.read_as else "Repaired copy"
            head: Line = [f"🔧 {how} of ", bold(source), "; the original is kept as it is."]
            return [head, *_changes(dataset.changes)]
        case "redaction":
            words = [private_words(str(c.get("message")), int(c.get("count") or 0)) for c in dataset.changes]
            what = ", ".join(words) or "nothing had to be replaced"
            return [
                ["🔒 Redacted copy of ", bold(source), f": {what}. The same value has the same placeholder."]
            ]
        case "split":
            part = "The 10 % held out of " if dataset.purpose == "validation" else "The 90 % left of "
            return [["✂️ ", part, bold(source), "; examples that repeat stay together."]]
        case "omission":
            head = [
                "✂️ Copy of ",
                bold(source),
                " without rows that were named; the original is kept as it is.",
            ]
            return [head, *_changes(dataset.changes)]


def _changes(changes: Sequence[Mapping[str, Any]]) -> list[Line]:
    if not changes:
        return [["Nothing could be changed without guessing."]]
    found: list[Line] = [
        [
            *ticks(str(change.get("message"))),
            f" · {where}"
            if (where := lines(tuple(change.get("lines") or ()), int(change.get("count") or 0)))
            else "",
        ]
        for change in changes[:CHANGES_SHOWN]
    ]
    more = len(changes) - CHANGES_SHOWN
    return found + ([[f"and {plural(more, 'more kind')} of change"]] if more > 0 else [])


def copies_line(facts: DropFacts) -> list[str]:
    """Where what was made of it stands: ``repaired as triage.jsonl v2, below``."""
    words = {
        "repair": "repaired",
        "redaction": "redacted",
        "split": "split",
        "omission": "copied without some rows",
    }
    found: list[str] = []
    for copy in reversed(facts.copies):
        how = (
            f"read as {FORMATS[copy.read_as].title}"
            if copy.read_as
            else words.get(copy.origin or "", "copied")
        )
        if copy.state in ("ready", "not_ready"):
            found.append(f"{how} as {name(copy.title, 60)}, below")
        elif copy.state == "checking":
            found.append(f"being {how}…")
    return found


def overlap_words(overlap: Overlap | None) -> str:
    """``no overlap ✓``, or how many rows are in both; nothing while it is not known."""
    if overlap is None:
        return ""
    if not overlap.rows:
        return "no overlap ✓"
    return f"{plural(overlap.rows, 'row')} also in the training data"


def held_buttons(dataset: Dataset) -> list[Block]:
    """The decision about a file with private values: the redacted copy is the default."""
    sure = confirm(
        "Send it as it is?",
        "The values found leave this server for the provider. Your name is recorded with this decision.",
        "Send as it is",
        "Not now",
    )
    return [
        button("Make a redacted copy", "redact", str(dataset.id), primary=True),
        button("Send as it is…", "release", str(dataset.id), confirm=sure),
    ]


def more_menu(dataset: Dataset, *choices: tuple[str, str]) -> Block:
    """The ⋯ menu; each choice is what it does and its words."""
    options = [option(words, f"{what}:{dataset.id}") for what, words in choices]
    return {"type": "overflow", "action_id": MORE, "options": options}


def button_row(*elements: Block | None) -> Block:
    """A row of those that are there."""
    return actions(*[element for element in elements if element is not None])


def title_text(dataset: Dataset) -> str:
    """The title for ``text``."""
    return esc(name(dataset.title))

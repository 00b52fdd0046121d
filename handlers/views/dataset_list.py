"""The datasets of a channel as a list, and everything about one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.answer import Block, Message
from handlers.text import cut, name, plain_date, plural, size
from handlers.views.dataset_words import title_text
from handlers.views.layout import Line, Part, actions, bold, button, code, moment, person, plain, rich, small
from handlers.views.lists import nothing_yet
from storage.records import Dataset, Upload
from tuning.jobs.withdrawing import CopyThere, Ties

_STATES = {"ready": "✅ ready", "not_ready": "❌ not ready"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset, its uploads with the labels of their providers, and whether the reader may delete it."""

    dataset: Dataset
    uploads: Sequence[tuple[str, Upload]]
    deletable: bool


def datasets_list(entries: Sequence[Entry], command: str) -> Message:
    """What is kept of a channel's drops, newest first."""
    if not entries:
        return nothing_yet("No data is kept of this channel", command)
    headline = f"{plural(len(entries), 'dataset')} of this channel"
    blocks: list[Block] = [rich([bold(headline)])]
    blocks += [_row(entry) for entry in entries]
    blocks.append(small("Before anything is deleted, you see where else it is and what needs it."))
    return Message(headline, blocks)


def _row(entry: Entry) -> Block:
    dataset = entry.dataset
    title, count = name(dataset.title, 60), plural(dataset.examples, "example")
    head = (
        f"{title} · {_STATES.get(dataset.state, dataset.state)} · {count} · {plain_date(dataset.created_at)}"
    )
    where = " · ".join(_places(dataset, entry.uploads))
    row: Block = {"type": "section", "text": plain(cut(f"{head}\n{where}", 2_900), 2_900)}
    if entry.deletable:
        row["accessory"] = button("Delete…", "dataset_delete", str(dataset.id), danger=True)
    return row


def ask_delete(dataset: Dataset, ties: Ties, labels: Mapping[str, str]) -> Message:
    """What deleting a dataset means and what it is still needed for, before it is done."""
    title = name(dataset.title, 60)
    lines: list[Line] = [[bold(f"Delete {title}?")]]
    lines.append(["Here: ", f"{size(dataset.bytes)}, kept compressed"])
    if dataset.origin is None:
        lines.append(["Slack: ", "the dropped file stays; it goes with its message"])
    lines += [_copy_there(copy, labels) for copy in ties.there]
    if ties.models:
        made = ", ".join(job.name for job in ties.models[:5])
        used = plural(len(ties.in_use), "channel")
        verb = "answers" if len(ties.in_use) == 1 else "answer"
        lines.append([f"Stays: {made}", f"; {used} {verb} with it" if ties.in_use else ""])
    keep = button("Keep it", "dataset_keep", str(dataset.id))
    if ties.open_jobs:
        waiting = ", ".join(job.name for job in ties.open_jobs[:3])
        lines.append(["⚠️ ", bold(f"{waiting} still needs it."), " Wait for the end, or cancel first."])
        return Message(f"{title_text(dataset)} is still needed", [rich(*lines), actions(keep)])
    free = [labels.get(copy.provider, copy.provider) for copy in ties.there if not copy.needed_by]
    buttons = [
        button(
            "Delete here only" if free else "Delete it", "dataset_delete_here", str(dataset.id), danger=True
        )
    ]
    if free:
        words = f"Delete here and at {name(' and '.join(free), 40)}"
        buttons.insert(0, button(words, "dataset_delete_all", str(dataset.id), danger=True))
    return Message(f"Delete {title_text(dataset)}?", [rich(*lines), actions(*buttons, keep)])


def _copy_there(copy: CopyThere, labels: Mapping[str, str]) -> Line:
    place = name(labels.get(copy.provider, copy.provider), 30)
    stays = f", stays: needed by {name(copy.needed_by, 60)}" if copy.needed_by else ""
    return [f"{place}: ", code(name(copy.file_id, 60)), stays]


def _places(dataset: Dataset, uploads: Sequence[tuple[str, Upload]]) -> list[str]:
    found = [f"Here: {size(dataset.bytes)}, kept compressed" if dataset.path else "Not kept here"]
    if dataset.origin is None:
        found.append("Slack: the dropped file")
    for label, upload in uploads:
        place = name(label, 30)
        match upload.state:
            case "sent":
                found.append(f"{place}: {name(upload.file_id or 'sent', 60)}")
            case "failed":
                found.append(f"{place}: not taken")
            case _:
                found.append(f"{place}: on its way")
    return found


def about_dataset(dataset: Dataset, origin: Dataset | None, uploads: Sequence[tuple[str, Upload]]) -> Message:
    """Ids, places and decisions; the only place where they stand."""
    lines: list[Line] = [
        [bold(name(dataset.title)), " · dropped by ", person(dataset.user), " · ", _when(dataset)],
        ["SHA-256 ", code(dataset.sha256 or "not read yet")],
        [
            f"{size(dataset.bytes)}, {plural(dataset.examples, 'example')} · ",
            " · ".join(_places(dataset, uploads)),
        ],
    ]
    if origin is not None:
        lines.append(
            [f"Made from {name(origin.title)} ({dataset.origin}); lines are those of the file as dropped"]
        )
    if dataset.released_by:
        lines.append(["Sent as it is, with private values: decided by ", person(dataset.released_by)])
    return Message(f"About {title_text(dataset)}", [rich(*lines)])


def _when(dataset: Dataset) -> Part:
    return moment(dataset.created_at, "{date_short_pretty} {time}")

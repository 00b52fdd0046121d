"""The datasets of a channel as a list, and everything about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.answer import Block, Message
from handlers.text import cut, name, plain_date, plural, size
from handlers.views.dataset_words import title_text
from handlers.views.layout import Line, Part, bold, button, code, confirm, moment, person, plain, rich, small
from handlers.views.lists import nothing_yet
from storage.records import Dataset, Upload

_STATES = {"ready": "✅ ready", "not_ready": "❌ not ready"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset, its uploads, and whether the reader may delete it."""

    dataset: Dataset
    uploads: Sequence[Upload]
    deletable: bool


def datasets_list(entries: Sequence[Entry], command: str) -> Message:
    """What is kept of a channel's drops, newest first."""
    if not entries:
        return nothing_yet("No data is kept of this channel", command)
    headline = f"{plural(len(entries), 'dataset')} of this channel"
    blocks: list[Block] = [rich([bold(headline)])]
    blocks += [_row(entry) for entry in entries]
    blocks.append(small("Deleting removes the copy here. One in Slack goes with its message."))
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
        sure = confirm(
            f"Delete {name(dataset.title, 40)}?",
            "The copy here is deleted. Models made from it stay. Copies in Slack and at providers stay too.",
            "Delete",
            "Keep it",
        )
        row["accessory"] = button("Delete…", "dataset_delete", str(dataset.id), danger=True, confirm=sure)
    return row


def _places(dataset: Dataset, uploads: Sequence[Upload]) -> list[str]:
    found = [f"Here: {size(dataset.bytes)}, kept compressed" if dataset.path else "Not kept here"]
    if dataset.origin is None:
        found.append("Slack: the dropped file")
    for upload in uploads:
        place = name(upload.provider, 30)
        match upload.state:
            case "sent":
                found.append(f"{place}: {name(upload.file_id or 'sent', 60)}")
            case "failed":
                found.append(f"{place}: not taken")
            case _:
                found.append(f"{place}: on its way")
    return found


def about_dataset(dataset: Dataset, origin: Dataset | None, uploads: Sequence[Upload]) -> Message:
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

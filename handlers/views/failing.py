"""After a failure: the rows that the provider named, and its copy of the file."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.answer import Block, Message
from handlers.text import esc, name, number, plural
from handlers.views.layout import (
    Line,
    actions,
    bold,
    button,
    code,
    confirm,
    person,
    preformatted,
    rich,
    small,
)
from storage.records import Dataset, Job
from tuning.jobs.withdrawing import CopyThere

ROWS_SHOWN = 8
ROW_LENGTH = 400
"""Characters of a row that are shown."""


def rows_page(job: Job, dataset: Dataset, rows: Sequence[tuple[int, str]], count: int) -> Message:
    """The named rows, for one person: ``rows`` with their lines as dropped, of ``count`` in all."""
    title = name(dataset.title, 60)
    head = f"Rows of {title} that were named when {job.name} failed"
    blocks: list[Block] = [rich([bold(head)])]
    for line, text in rows[:ROWS_SHOWN]:
        blocks += [rich([f"Line {number(line)}"]), preformatted(text, ROW_LENGTH + 1)]
    if not rows:
        blocks.append(rich(["The file that was sent has no such lines."]))
    more = count - min(len(rows), ROWS_SHOWN)
    notes = f"Only you see this. Each row is cut at {ROW_LENGTH} characters; private values are replaced."
    blocks.append(small(notes, f"{plural(more, 'more row')} not shown" if more > 0 and rows else ""))
    return Message(esc(head), blocks)


def ask_delete_upload(job: Job, provider: str, files: Sequence[CopyThere]) -> Message:
    """What deleting the provider's copy means, before it is done."""
    place = name(provider, 40)
    head = f"Delete what {place} has for {job.name}?"
    lines: list[Line] = [[bold(head)]]
    for copy in files:
        stays = f", stays: needed by {name(copy.needed_by, 60)}" if copy.needed_by else ""
        lines.append(["File ", code(name(copy.file_id, 100)), stays])
    lines.append(["Here: the dataset and this thread stay. Starting again sends the file anew."])
    blocks: list[Block] = [rich(*lines)]
    if any(not copy.needed_by for copy in files):
        ask = confirm("Delete the upload?", "This cannot be taken back.", "Delete it", "Keep it")
        yes = button("Delete the upload", "delete_upload_now", str(job.id), danger=True, confirm=ask)
        blocks.append(actions(yes))
    return Message(esc(head), blocks)


def upload_deleted(job: Job, provider: str, user: str) -> Message:
    """The line that the deletion of an upload leaves in the thread."""
    place = name(provider, 40)
    line: Line = ["🗑 An uploaded file of ", bold(job.name), f" was deleted at {place} by ", person(user), "."]
    return Message(f"An uploaded file of {esc(job.name)} was deleted", [rich(line)])

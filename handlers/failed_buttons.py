"""What can be done after a failure: start again without the named rows, see them, delete the upload."""

from __future__ import annotations

from typing import Any, cast

from handlers import preparing
from handlers.answer import Answer, Message
from handlers.errors import BadCall
from handlers.facts import job_facts
from handlers.house import House
from handlers.incoming import Incoming
from handlers.rights import only_owner
from handlers.text import esc
from handlers.verbs import start
from handlers.views import failing, start_form
from handlers.views.layout import bold, rich
from storage import datasets
from storage.records import Job
from tuning.errors import TuningError
from tuning.jobs.failures import blamed
from tuning.jobs.withdrawing import files_of


async def drop_rows(house: House, clicked: Incoming, job: Job) -> Answer | None:
    """Opens the form of that job with a copy of its data that lacks the named rows.

    The form opens at once, within Slack's three seconds, and is filled when the copy is made and checked.

    Raises:
        BadCall: it is another channel's job, or no rows were named.
    """
    if job.channel != clicked.channel:
        raise BadCall("This job belongs to another channel.")
    dataset_id, rows = _blamed(job)
    field = "validation" if dataset_id == job.validation_id else "dataset"
    empty = start_form.skeleton(job.channel)
    opened = await house.client.views_open(trigger_id=clicked.trigger_id or "", view=empty)
    view_id = str(cast("dict[str, Any]", opened.get("view") or {})["id"])
    try:
        (copy,) = await preparing.make(
            house, dataset_id, "omission", clicked.user, field, left_out=sorted(rows)
        )
        await start.fill_again(house, view_id, job, {dataset_id: copy.id})
    except TuningError as problem:
        await start.refuse(house, view_id, job.channel, f"{problem} {problem.todo}".strip())
    return None


async def show_rows(house: House, clicked: Incoming, job: Job) -> Answer:
    """The named rows, to this person alone, who has to be in the job's channel.

    Raises:
        BadCall: they are not, or no rows were named. NotKept: the file is gone.
    """
    await _only_members(house, clicked, job.channel)
    dataset_id, rows = _blamed(job)
    dataset = await house.store.read(lambda db: datasets.get(db, dataset_id))
    shown = sorted(rows)[: failing.ROWS_SHOWN]
    found = await house.intake.rows(dataset_id, shown, failing.ROW_LENGTH)
    return Answer(failing.rows_page(job, dataset, found, len(rows)))


async def ask_delete_upload(house: House, clicked: Incoming, job: Job) -> Answer:
    """Says first what would be deleted at the provider, and what stays."""
    only_owner(house, clicked.user, job, "delete its upload")
    files = await house.store.read(lambda db: files_of(db, job))
    if not files:
        raise BadCall(f"No file of {job.name} is known to be at its provider any more.")
    return Answer(failing.ask_delete_upload(job, (await job_facts(house, job)).provider, files))


async def delete_upload(house: House, clicked: Incoming, job: Job) -> Answer:
    """Deletes the provider's copy; a line in the job's thread says who did."""
    only_owner(house, clicked.user, job, "delete its upload")
    await house.engine.delete_files(job.id, clicked.user)
    words = "has no upload any more: its thread says who deleted it."
    return Answer(Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])]), replace=True)


def _blamed(job: Job) -> tuple[int, list[int]]:
    dataset_id, rows = blamed(job)
    if not rows:
        raise BadCall(f"No rows were named when {job.name} failed.")
    return dataset_id, rows


async def _only_members(house: House, clicked: Incoming, channel: str) -> None:
    """A button in a public channel can be pressed by people who only look in."""
    if clicked.is_dm and clicked.channel == channel:
        return
    rooms = await house.rooms.of(house.client, clicked.user)
    if rooms is None:
        raise BadCall("Slack does not say just now who is in this channel.", "Try again in a minute.")
    if channel not in rooms:
        raise BadCall("Only members of the channel are shown its rows.", "Join it first, then try again.")

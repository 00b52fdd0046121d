"""The menu of a job: pages for one person, a table of its figures, put away, mute, delete."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace

from handlers import failed_buttons, reply
from handlers.answer import Answer, Message
from handlers.errors import BadCall
from handlers.facts import job_facts
from handlers.house import House
from handlers.incoming import Incoming
from handlers.offers import profile_of
from handlers.rights import only_owner
from handlers.sharing import share
from handlers.text import esc
from handlers.views import job_pages, leaving
from handlers.views.layout import bold, person, rich
from handlers.visible import sees
from storage import chats, datasets, jobs, rooms
from storage.records import Event, Job, Overlap
from storage.store import Database

Page = Callable[[House, Incoming, Job], Awaitable[Answer | None]]


def unfold(clicked: Incoming) -> Incoming:
    """A choice of an overflow menu (``events|12``) as the button it stands for; others as they are."""
    base, numbered, _ = clicked.action.partition(":")
    if numbered and base in _PAGES:  # buttons in a row tell apart by a number
        return replace(clicked, action=base)
    if clicked.action != "menu":
        return clicked
    what, _, value = clicked.value.partition("|")
    return replace(clicked, action=what, value=value)


def knows(clicked: Incoming) -> bool:
    """Whether a button belongs to a job's menu."""
    return clicked.action in _PAGES


async def on_action(house: House, clicked: Incoming) -> None:
    """Shows the page or does what is chosen.

    Raises:
        BadCall: the button is too old, or the job is none of this channel's.
        NotFound: the job is gone.
    """
    if not clicked.value.isdigit():
        raise BadCall("This button is too old to be understood.", "Ask for a new card with the verb jobs.")
    job_id = int(clicked.value)
    job = await house.store.read(lambda db: jobs.get(db, job_id))
    if not await sees(house, clicked.user, job.channel, here=clicked.channel, is_dm=clicked.is_dm):
        raise BadCall("This job belongs to another channel.")
    await reply.answer(house, clicked, await _PAGES[clicked.action](house, clicked, job))


async def about_answer(house: House, job: Job, checkpoint_model: str | None = None) -> Answer:
    """Where a model comes from."""
    facts = await job_facts(house, job)
    profile = await profile_of(house, job.provider)
    base = profile.base(job.base) if profile else None
    model = checkpoint_model or job.fine_tuned_model or ""
    in_use, point, votes, overlap = await house.store.read(
        lambda db: (
            chats.users_of(db, job.id),
            jobs.checkpoint_by_model(db, checkpoint_model) if checkpoint_model else None,
            rooms.votes_for(db, job.provider, model),
            _overlap(db, job),
        )
    )
    known = job_pages.AboutFacts(facts, in_use, base.shutdown_date if base else None, point, votes, overlap)
    return Answer(job_pages.about_page(job, known))


def _overlap(db: Database, job: Job) -> Overlap | None:
    """How far the job's validation data overlaps with its training data, where it was looked at."""
    if job.validation_id is None:
        return None
    training, validation = datasets.get(db, job.dataset_id), datasets.get(db, job.validation_id)
    return datasets.overlap_of(db, training.sha256, validation.sha256)


async def _about(house: House, clicked: Incoming, job: Job) -> Answer:
    return await about_answer(house, job)


async def _events(house: House, clicked: Incoming, job: Job) -> Answer:
    return Answer(job_pages.events_page(job, await _events_of(house, job)))


async def _metrics(house: House, clicked: Incoming, job: Job) -> Answer:
    return Answer(job_pages.metrics_page(job, await _events_of(house, job)))


async def _safety(house: House, clicked: Incoming, job: Job) -> Answer:
    return Answer(job_pages.safety_page(job, await _events_of(house, job)))


async def _checkpoints(house: House, clicked: Incoming, job: Job) -> Answer:
    found = await house.store.read(lambda db: jobs.checkpoints_of(db, job.id))
    return Answer(job_pages.checkpoints_page(job, found))


async def _results(house: House, clicked: Incoming, job: Job) -> Answer | None:
    """The figures of every step as a table file, in the thread the wish came from."""
    table = await asyncio.to_thread(results_csv, await _events_of(house, job))
    if table is None:
        return Answer(Message("There are no figures yet: ask again in a minute."))
    await share(
        house,
        clicked,
        channel=clicked.channel or clicked.user,
        thread=clicked.root or None,
        filename=f"{job.name}-results.csv",
        title=f"Figures of {job.name}",
        content=table,
    )
    return None


async def _archive(house: House, clicked: Incoming, job: Job) -> Answer:
    only_owner(house, clicked.user, job, "put it away")
    after = 0 if job.archived else 1
    await house.store.write(lambda db: jobs.change(db, job.id, archived=after))
    words = "is put away: lists leave it out, its name still works." if after else "is back in the lists."
    return Answer(Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])]))


async def _mute(house: House, clicked: Incoming, job: Job) -> Answer:
    after = 0 if job.muted else 1

    def keep(db: Database) -> None:
        jobs.change(db, job.id, muted=after)
        jobs.touch_card(db, job.id)

    await house.store.write(keep)
    words = "tells its end only." if after else "tells everything again."
    return Answer(
        Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words} By ", person(clicked.user)])]),
        public=True,
    )


async def _ask_delete(house: House, clicked: Incoming, job: Job) -> Answer:
    only_owner(house, clicked.user, job, "delete it")
    in_use = await house.store.read(lambda db: chats.users_of(db, job.id))
    return Answer(leaving.ask_delete(job, await job_facts(house, job), in_use))


async def _delete(house: House, clicked: Incoming, job: Job) -> Answer:
    only_owner(house, clicked.user, job, "delete it")
    await house.engine.delete_model(job.id, clicked.user)
    words = "has no model any more: its thread says who deleted it."
    return Answer(Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])]), replace=True)


async def _score(house: House, clicked: Incoming, job: Job) -> Answer:
    """Starts the score whose price stands on the button: only who started the job spends its money."""
    only_owner(house, clicked.user, job, "score it")
    await house.engine.score(job.id)
    words = "is being scored: the result comes in its thread."
    return Answer(Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])]))


def results_csv(events: list[Event]) -> bytes | None:
    """Every step's figures, one row each; ``None`` without any."""
    rows = [event.data for event in events if isinstance(event.data.get("step"), int | float)]
    if not rows:
        return None
    names = sorted({name for row in rows for name, value in row.items() if isinstance(value, int | float)})
    names.sort(key=lambda name: name != "step")
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


async def _events_of(house: House, job: Job) -> list[Event]:
    return await house.store.read(lambda db: jobs.events_of(db, job.id))


_PAGES: dict[str, Page] = {
    "events": _events,
    "metrics": _metrics,
    "safety": _safety,
    "checkpoints": _checkpoints,
    "results": _results,
    "archive": _archive,
    "score": _score,
    "mute": _mute,
    "about_job": _about,
    "delete_model": _ask_delete,
    "delete_model_now": _delete,
    "drop_rows": failed_buttons.drop_rows,
    "show_rows": failed_buttons.show_rows,
    "delete_upload": failed_buttons.ask_delete_upload,
    "delete_upload_now": failed_buttons.delete_upload,
}

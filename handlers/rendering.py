"""From a notice or card in the store to the message that says it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError

from handlers.answer import Message
from handlers.errors import DeliveryFailed, NotYet
from handlers.facts import drop_facts, finish_facts, job_facts
from handlers.house import House
from handlers.slackapi import code_of, text_in
from handlers.text import name
from handlers.views import failing, job_pages, notices
from handlers.views.drop_card import drop_card
from handlers.views.job_card import job_card
from handlers.views.kept_points import epoch_ended
from handlers.views.safety import safety_notice
from storage import chats, datasets, jobs, outbox
from storage.records import Card, Event, Job, Notice
from tuning.jobs.failures import blamed, explain
from tuning.jobs.withdrawing import files_of
from tuning.pictures import Picture, loss_picture

log = structlog.get_logger(__name__)

LINK_WAITS = 60.0
"""Seconds that a link waits for the card it leads to; after them it is said without an address."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message with its picture; ``broadcast``: also shown in the channel.

    ``picture_at``: before which block the picture stands, ``None`` for the end.
    """

    message: Message
    picture: Picture | None = None
    broadcast: bool = False
    picture_at: int | None = None


async def render_notice(house: House, notice: Notice) -> Rendered:
    """What a notice says now.

    Raises:
        DeliveryFailed: nobody knows this kind of notice.
        NotYet: what it leads to is not posted yet.
        NotFound: what it speaks of is gone.
    """
    if notice.kind == "note":
        return Rendered(notices.note(str(notice.body.get("text", ""))))
    if notice.kind == "drop_card":
        return Rendered(await _drop_card(house, int(notice.body["dataset_id"])))
    render = _OF_JOBS.get(notice.kind)
    if render is None:
        raise DeliveryFailed(f"Nobody knows how to say a notice of kind {notice.kind}.")
    job_id = int(notice.body["job_id"])
    job = await house.store.read(lambda db: jobs.get(db, job_id))
    return await render(house, notice, job)


async def render_card(house: House, card: Card) -> Message:
    """What a card shows now."""
    if card.kind == "drop_card":
        return await _drop_card(house, card.ref)
    job = await house.store.read(lambda db: jobs.get(db, card.ref))
    return job_card(job, await job_facts(house, job), house.clock())


async def _drop_card(house: House, dataset_id: int) -> Message:
    dataset = await house.store.read(lambda db: datasets.get(db, dataset_id))
    return drop_card(dataset, await drop_facts(house, dataset))


async def _job_card(house: House, notice: Notice, job: Job) -> Rendered:
    return Rendered(job_card(job, await job_facts(house, job), house.clock()))


async def _link(house: House, notice: Notice, job: Job) -> Rendered:
    card = await house.store.read(lambda db: outbox.card(db, job.card))
    if card and card.ts is None and 0 <= house.clock() - notice.created_at < LINK_WAITS:
        raise NotYet
    url = await _permalink(house, card) if card and card.ts else None
    return Rendered(notices.link_notice(job, url))


async def _permalink(house: House, card: Card) -> str | None:
    try:
        answer = await house.client.chat_getPermalink(channel=card.channel, message_ts=card.ts or "")
    except SlackApiError as problem:
        log.info("no_permalink", error=code_of(problem))
        return None
    return text_in(answer, "permalink") or None


async def _epoch(house: House, notice: Notice, job: Job) -> Rendered:
    events, checkpoints = await house.store.read(
        lambda db: (jobs.events_of(db, job.id), jobs.checkpoints_of(db, job.id))
    )
    epoch, epochs = int(notice.body["epoch"]), int(notice.body["epochs"])
    step = int(notice.body.get("step") or 0)
    points = [point for point in checkpoints if point.step <= step]
    picture = await asyncio.to_thread(loss_picture, job, [e for e in events if _step(e) <= step], points)
    ends = [p for p in checkpoints if p.step == step or epoch_ended(job, p.step) == epoch]
    checkpoint = ends[-1] if ends else None
    return Rendered(notices.epoch_notice(job, epoch, epochs, notice.body, checkpoint), picture)


def _step(event: Event) -> int:
    step = event.data.get("step")
    return int(step) if isinstance(step, int | float) else 0


async def _safety(house: House, notice: Notice, job: Job) -> Rendered:
    wanted = notice.body.get("event_id")
    events = await house.store.read(lambda db: jobs.events_of(db, job.id))
    event = next((event for event in events if event.event_id == wanted), None)
    if event is None:
        raise DeliveryFailed("The safety result is not on record.")
    return Rendered(safety_notice(job, event, (await job_facts(house, job)).provider))


async def _finished(house: House, notice: Notice, job: Job) -> Rendered:
    about = await job_facts(house, job)
    return Rendered(notices.finished_notice(job, about, await finish_facts(house, job)))


async def _failed(house: House, notice: Notice, job: Job) -> Rendered:
    dataset_id, named = blamed(job)
    in_use, blames, files = await house.store.read(
        lambda db: (chats.model_of(db, job.channel), datasets.get(db, dataset_id), files_of(db, job))
    )
    about = await job_facts(house, job)
    lines = await house.intake.dropped_lines(dataset_id, named) if named else []
    created = job.provider_job_id is not None
    why = explain(job.error, name(about.provider, 40), created=created, charges=about.charges)
    kept = blames.path is not None
    said = notices.failed_notice(job, about, why, in_use, lines, kept=kept, uploaded=created and bool(files))
    return Rendered(said, broadcast=True)


async def _cancelled(house: House, notice: Notice, job: Job) -> Rendered:
    return Rendered(notices.cancelled_notice(job, await job_facts(house, job)))


async def _paused(house: House, notice: Notice, job: Job) -> Rendered:
    return Rendered(notices.paused_notice(job, resumed=notice.kind == "job_resumed"))


async def _scored(house: House, notice: Notice, job: Job) -> Rendered:
    evaluation = await house.store.read(lambda db: jobs.evaluation_of(db, job.id))
    return Rendered(notices.scored_notice(job, evaluation))


async def _step_told(house: House, notice: Notice, job: Job) -> Rendered:
    return Rendered(job_pages.step_notice(job, notice.body))


async def _deleted(house: House, notice: Notice, job: Job) -> Rendered:
    return Rendered(job_pages.deleted_notice(job, str(notice.body.get("by", ""))))


async def _upload_deleted(house: House, notice: Notice, job: Job) -> Rendered:
    provider = (await job_facts(house, job)).provider
    return Rendered(failing.upload_deleted(job, provider, str(notice.body.get("by", ""))))


_OF_JOBS: dict[str, Callable[[House, Notice, Job], Awaitable[Rendered]]] = {
    "job_card": _job_card,
    "job_link": _link,
    "job_epoch": _epoch,
    "job_step": _step_told,
    "job_safety": _safety,
    "job_deleted": _deleted,
    "job_upload_deleted": _upload_deleted,
    "job_finished": _finished,
    "job_scored": _scored,
    "job_failed": _failed,
    "job_cancelled": _cancelled,
    "job_paused": _paused,
    "job_resumed": _paused,
}

"""The notices of jobs, and the card of a dataset.

Their ids say what they are about, so that writing one twice changes nothing.
"""

from __future__ import annotations

from typing import Any

from storage import jobs, outbox, rooms
from storage.records import Card, Dataset, Job, Notice
from storage.store import Database


def drop_card(db: Database, dataset: Dataset, now: float) -> None:
    """The card of a dataset in its thread; it is edited from then on."""
    key, body = f"drop:{dataset.id}", {"dataset_id": dataset.id}
    notice = Notice(
        f"drop_card:{dataset.id}", "drop_card", dataset.channel, body, now, thread=dataset.thread, card=key
    )
    outbox.add(db, notice, Card(key, "drop_card", dataset.id, dataset.channel, dataset.thread))


def job_card(db: Database, job: Job, now: float) -> None:
    """The root message of a job in its channel; it is edited from then on."""
    notice = Notice(f"job_card:{job.id}", "job_card", job.channel, {"job_id": job.id}, now, card=job.card)
    outbox.add(db, notice, Card(job.card, "job_card", job.id, job.channel))


def job_link(db: Database, job: Job, dataset: Dataset, now: float) -> None:
    """A link to the job in the thread of the drop."""
    body = {"job_id": job.id}
    notice = Notice(f"job_link:{job.id}", "job_link", dataset.channel, body, now, thread=dataset.thread)
    outbox.add(db, notice)


ENDS = frozenset({"job_finished", "job_failed", "job_cancelled"})
"""What even a quiet channel is told."""


def wanted(db: Database, job: Job, kind: str) -> bool:
    """Whether a job's channel wants this kind of notice (quiet: the end; verbose: steps as well)."""
    level = "quiet" if jobs.get(db, job.id).muted else rooms.settings_of(db, job.channel).notices
    return kind in ENDS or (level == "verbose" if kind == "job_step" else level != "quiet")


def in_thread(db: Database, job: Job, kind: str, now: float, *, about: object = None, **body: Any) -> None:
    """A notice in the job's own thread, if it is wanted; ``about`` tells several of one kind apart."""
    if wanted(db, job, kind):
        told(db, job, kind, now, about=about, **body)


def told(db: Database, job: Job, kind: str, now: float, *, about: object = None, **body: Any) -> None:
    """A notice in the job's own thread that is told whatever the channel chose."""
    identity = f"{kind}:{job.id}" if about is None else f"{kind}:{job.id}:{about}"
    whole = {"job_id": job.id, **body}
    outbox.add(db, Notice(identity, kind, job.channel, whole, now, thread_of=job.card))

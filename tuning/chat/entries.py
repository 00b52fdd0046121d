"""The list of models of a channel."""

from __future__ import annotations

from dataclasses import dataclass

from storage import jobs
from storage.chat_records import Model
from storage.records import Job
from storage.store import Database
from tuning.chat import naming


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One line of the list of models.

    ``state`` is the job's, or ``base``; ``model`` is ``None`` until it is ready; ``checkpoints`` counts the
    snapshots that can be talked to as ``NAME@N``. ``archived``: it was put away.
    """

    name: str
    state: str
    base: str
    provider: str
    made_at: float | None = None
    in_use: bool = False
    model: Model | None = None
    checkpoints: int = 0
    shutdown_date: str | None = None
    archived: bool = False


def job_entries(db: Database, channel: str, *, archived: bool = False) -> list[ModelEntry]:
    """The jobs of a channel, newest first: those put away, or the others."""
    chosen = naming.channel_model(db, channel)
    found = jobs.archived_in(db, channel) if archived else jobs.in_channel(db, channel, limit=100)
    return [_entry(db, job, chosen) for job in sorted(found, key=lambda j: -j.id)]


def _entry(db: Database, job: Job, chosen: Model | None) -> ModelEntry:
    return ModelEntry(
        job.name,
        job.state,
        job.base,
        job.provider,
        made_at=job.finished_at,
        in_use=chosen is not None and chosen.job_id == job.id,
        model=naming.of_job(job) if naming.answers(job) else None,
        checkpoints=len(jobs.checkpoints_of(db, job.id)),
        archived=bool(job.archived),
    )

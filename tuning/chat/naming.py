"""From what people type to a model: ``triage-7``, ``triage-7@2``, or a base."""

from __future__ import annotations

from collections.abc import Collection

from storage import chats, jobs
from storage.chat_records import Model
from storage.records import Checkpoint, Job
from storage.store import Database
from tuning.errors import NoModel


def of_job(job: Job) -> Model:
    """The final model of a ready job."""
    assert job.fine_tuned_model is not None
    return Model(job.provider, job.fine_tuned_model, job.name, job.id)


def channel_model(db: Database, channel: str, also: Collection[str] = ()) -> Model | None:
    """The model a channel uses: the one chosen for it, else its newest ready job's, else one of ``also``.

    One that was chosen in direct messages counts while its channel is among those the person may see.
    """
    chosen = chats.model_of(db, channel)
    if chosen is not None and (
        chosen.job_id is None or jobs.get(db, chosen.job_id).channel in (channel, *also)
    ):
        return Model(chosen.provider, chosen.model, chosen.label, chosen.job_id)
    return newest_model(db, [channel]) or newest_model(db, also)


def newest_model(db: Database, channels: Collection[str]) -> Model | None:
    """The model of the newest job in these channels that has one."""
    ready = [job for place in channels for job in jobs.in_channel(db, place, limit=100) if answers(job)]
    return of_job(max(ready, key=lambda job: job.id)) if ready else None


def answers(job: Job) -> bool:
    """Whether a job has a model to talk to."""
    return job.state in ("ready", "scoring") and job.fine_tuned_model is not None


def job_model(db: Database, name: str, channels: Collection[str]) -> Model | None:
    """The model of a job's name, with or without ``@CHECKPOINT``; ``None`` when no job here has this name.

    A job of a channel that is not among ``channels`` is not told from one that does not exist.

    Raises:
        NoModel: the job has no model (yet), or no such checkpoint.
    """
    stem, _, number = name.partition("@")
    job = jobs.by_name(db, stem)
    if job is None or job.channel not in channels:
        return None
    checkpoints = jobs.checkpoints_of(db, job.id)
    if number:
        return _checkpoint_model(job, checkpoints, number)
    if job.state == "ready" and job.fine_tuned_model is None:
        raise NoModel(f"The model of {job.name} was deleted.", "Choose another with the verb models.")
    if not answers(job):
        raise NoModel(f"{job.name} has no model to talk to: it is {job.state}.", _instead(job, checkpoints))
    return of_job(job)


def _checkpoint_model(job: Job, checkpoints: list[Checkpoint], number: str) -> Model:
    found = next((c for c in checkpoints if str(c.number) == number.strip()), None)
    if found is None:
        known = ", ".join(f"{job.name}@{c.number}" for c in checkpoints) or "none yet"
        raise NoModel(f"{job.name} has no checkpoint {number}.", f"There are: {known}.")
    return Model(job.provider, found.model, f"{job.name}@{found.number}", job.id)


def _instead(job: Job, checkpoints: list[Checkpoint]) -> str:
    if checkpoints:
        return f"You can talk to its newest checkpoint as {job.name}@{checkpoints[-1].number}."
    ended = job.state in ("failed", "cancelled")
    return "Start another job, or choose another model." if ended else "Its card says when it is ready."

"""Deletes a model at its provider and forgets where it was in use."""

from __future__ import annotations

from storage import chats, jobs
from storage.errors import NotFound
from storage.records import Job
from storage.store import Database
from tuning.errors import JobNotFound, NoModel, Refused
from tuning.jobs import notices
from tuning.jobs.parts import Parts


async def delete_model(parts: Parts, job_id: int, by: str) -> Job:
    """Deletes the model of a job; its checkpoints, data and thread stay. Answers the job as it is then.

    Raises:
        JobNotFound: there is no such job.
        NoModel: it has no model (any more).
        Refused, Unreachable: the provider did not do it; nothing changed.
    """
    try:
        job = await parts.store.read(lambda db: jobs.get(db, job_id))
    except NotFound as missing:
        raise JobNotFound(str(job_id)) from missing
    if job.fine_tuned_model is None or job.state != "ready":
        raise NoModel(f"{job.name} has no model to delete.")
    try:
        await parts.providers.get(job.provider).gateway.delete_model(job.fine_tuned_model)
    except Refused as problem:
        if problem.status != 404:  # gone already is as good as deleted
            raise

    def record(db: Database) -> Job:
        chats.forget(db, job_id)
        jobs.change(db, job_id, fine_tuned_model=None, archived=1)
        about = {"by": by}
        notices.told(db, job, "job_deleted", parts.clock(), **about)
        jobs.touch_card(db, job_id)
        return jobs.get(db, job_id)

    return await parts.store.write(record)

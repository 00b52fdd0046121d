"""Pauses jobs and lets them go on, where the provider can."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from storage import jobs
from storage.errors import NotFound
from storage.records import Job
from storage.store import Database
from tuning.errors import JobNotFound, NotPausable, ProviderError, Refused
from tuning.jobs.applying import News, apply
from tuning.jobs.parts import Parts
from tuning.providers import Gateway, ProviderJob

PAUSABLE = frozenset({"accepted", "queued", "training"})
GOES_ON = frozenset({"queued", "running"})
"""The provider's statuses of a job that was paused and goes on."""


async def steer(parts: Parts, job_id: int, by: str, *, resume: bool) -> Job:
    """Asks the provider to pause a job, or to let it go on, and keeps its answer and who wished it.

    Raises:
        JobNotFound: there is no such job.
        NotPausable: the provider cannot pause, the job is not in a state for it, or the provider refuses.
        Unreachable: the provider does not answer; nothing changed.
    """
    try:
        job = await parts.store.read(lambda db: jobs.get(db, job_id))
    except NotFound as missing:
        raise JobNotFound(str(job_id)) from missing
    provider = parts.providers.get(job.provider)
    profile = await provider.profile()
    _check(job, profile.label, can_pause=profile.can_pause, resume=resume)
    assert job.provider_job_id is not None
    ask = provider.gateway.resume if resume else provider.gateway.pause
    try:
        answer = await ask(job.provider_job_id)
    except Refused as problem:
        wished = GOES_ON if resume else frozenset({"paused"})
        done = await found_in(provider.gateway, job.provider_job_id, wished)
        if done is None:
            parts.wake()
            doing = "go on" if resume else "be paused"
            raise NotPausable(f"{job.name} cannot {doing}: {problem}", problem.todo) from problem
        answer = done

    def record(db: Database) -> Job:
        now = jobs.get(db, job_id)
        key = "resumed_by" if resume else "paused_by"
        jobs.change(db, job_id, poll_at=parts.clock(), progress=now.progress | {key: by})
        return apply(db, job_id, News(answer), parts.clock())

    changed = await parts.store.write(record)
    parts.wake()
    return changed


async def found_in(gateway: Gateway, job_id: str, statuses: Collection[str]) -> ProviderJob | None:
    """A job that is as somebody wished though the wish was refused: the answer to an earlier try was lost."""
    with suppress(ProviderError):
        theirs = await gateway.retrieve(job_id)
        return theirs if theirs.status in statuses else None
    return None


def _check(job: Job, label: str, *, can_pause: bool, resume: bool) -> None:
    if not can_pause:
        raise NotPausable(f"{label} cannot pause jobs.", f"You can cancel {job.name}, or let it run.")
    if resume and job.state != "paused":
        raise NotPausable(f"{job.name} is not paused: it is {job.state}.")
    if not resume and (job.state not in PAUSABLE or job.provider_job_id is None):
        raise NotPausable(f"{job.name} cannot be paused now: it is {job.state}.")

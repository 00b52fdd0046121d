"""Takes up jobs that were started elsewhere, so that they are watched and told like our own."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from storage import datasets, jobs
from storage.errors import NotFound
from storage.records import Dataset, Job
from storage.store import Database
from tuning.errors import JobError, JobNotFound, ProviderError, Refused
from tuning.jobs import notices
from tuning.jobs.parts import Parts
from tuning.providers import Profile, ProviderJob
from tuning.providers.asking import INTENT

_NUMBERED = re.compile(r"(.+)-(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Found:
    """A job at a provider that nobody follows here yet."""

    provider: str
    job: ProviderJob

    @property
    def label(self) -> str:
        """``triage · running · gpt-4.1-mini``."""
        return f"{self.job.suffix or self.job.id} · {self.job.status} · {self.job.base}"


async def unknown_jobs(parts: Parts) -> list[Found]:
    """The newest jobs of every provider that are not followed yet; a provider that is down is left out."""
    names = parts.providers.names
    answers = await asyncio.gather(
        *(parts.providers.get(name).gateway.newest_jobs() for name in names), return_exceptions=True
    )
    found: list[Found] = []
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, ProviderError):
            continue
        if isinstance(answer, BaseException):
            raise answer
        found += [Found(name, job) for job in answer]

    def fresh(db: Database) -> list[Found]:
        return [one for one in found if _known(db, one.provider, one.job) is None]

    return await parts.store.read(fresh)


async def follow(parts: Parts, wanted: str, channel: str, user: str) -> Job:
    """Takes up a job by the provider's id, ``ftjob-…`` or ``PROVIDER|ftjob-…``.

    Raises:
        JobNotFound: no provider knows it.
        JobError: it is followed already, in this or another channel.
        Unreachable: a provider does not answer.
    """
    place, _, job_id = wanted.rpartition("|")
    for name in [place] if place else parts.providers.names:
        provider = parts.providers.get(name)
        try:
            theirs = await provider.gateway.retrieve(job_id)
        except Refused:
            continue
        profile = await provider.profile()
        job = await parts.store.write(
            lambda db, name=name, theirs=theirs, profile=profile: _keep(
                db, name, theirs, profile, channel, user, parts.clock()
            )
        )
        parts.wake()
        return job
    raise JobNotFound(job_id)


def _keep(
    db: Database, provider: str, theirs: ProviderJob, profile: Profile, channel: str, user: str, now: float
) -> Job:
    known = _known(db, provider, theirs)
    if known is not None:
        if known.channel == channel:
            raise JobError(f"{known.name} is followed here already.")
        raise JobError("This job is followed in another channel already.")  # which may be a private one
    suffix, number = _name(db, theirs, profile)
    job = jobs.add(
        db,
        Job(
            id=0,
            intent=f"follow:{provider}:{theirs.id}",
            name=f"{suffix}-{number}",
            suffix=suffix,
            number=number,
            provider=provider,
            base=theirs.base,
            dataset_id=_dataset(db, provider, theirs, channel, user, now).id,
            channel=channel,
            owner=user,
            state="accepted",
            created_at=theirs.created_at or now,
            provider_job_id=theirs.id,
            settings={"followed": True},
        ),
    )
    notices.job_card(db, job, now)
    return job


def _known(db: Database, provider: str, theirs: ProviderJob) -> Job | None:
    """The job that is followed already, or was created by us though its id is not on record yet."""
    ours = theirs.metadata.get(INTENT)
    return jobs.by_provider_id(db, provider, theirs.id) or (jobs.by_intent(db, ours) if ours else None)


def _name(db: Database, theirs: ProviderJob, profile: Profile) -> tuple[str, int]:
    """The name it was given (``triage-7``) while it is free here, else the next number."""
    given = _NUMBERED.fullmatch(theirs.suffix or "")
    if given and jobs.by_name(db, given[0]) is None:
        return given[1], int(given[2])
    suffix = profile.suffix(theirs.suffix or "") or "followed"
    return suffix, jobs.next_number(db, suffix)


def _dataset(
    db: Database, provider: str, theirs: ProviderJob, channel: str, user: str, now: float
) -> Dataset:
    """A record for data that was never dropped here, so that it can be named."""
    drop_id = f"{channel}:follow:{provider}-{theirs.id}"
    made = datasets.add(
        db,
        Dataset(
            id=0,
            name=theirs.training_file or "data sent elsewhere",
            version=1,
            channel=channel,
            thread="",
            user=user,
            drop_id=drop_id,
            state="closed",
            created_at=now,
        ),
    )
    known = made or datasets.by_drop(db, drop_id)
    if known is None:
        raise NotFound("The data of a followed job cannot be kept.")
    return known

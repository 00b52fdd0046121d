"""What the views show beside the record itself, fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handlers.house import House
from handlers.offers import all_offers, first_offers, profile_of
from handlers.views.dataset_words import DropFacts
from handlers.views.job_facts import JobFacts
from handlers.views.notices import FinishFacts
from handlers.views.prices import Offer
from storage import chats, datasets, jobs
from storage.errors import NotFound
from storage.records import Dataset, Job
from storage.store import Database
from tuning.errors import StartRefused
from tuning.jobs import scoring
from tuning.jobs.holding import held
from tuning.jobs.safety import EVENT_TYPE
from tuning.providers import Base


async def job_facts(house: House, job: Job) -> JobFacts:
    """The job's dataset, how its provider is called, whether it charges, and what hangs on the job."""
    facts = await house.store.read(lambda db: _of_job(db, job))
    profile = await profile_of(house, job.provider)
    if profile is None:
        return facts
    base = profile.base(job.base)
    return replace(
        facts,
        provider=profile.label,
        charges=profile.charges,
        can_pause=profile.can_pause,
        base=base.label if base else "",
    )


def _of_job(db: Database, job: Job) -> JobFacts:
    dataset, trouble = _sending(db, job)
    return JobFacts(
        dataset,
        job.provider,
        trouble=trouble,
        checkpoints=len(jobs.checkpoints_of(db, job.id)),
        in_use=chats.users_of(db, job.id),
        waits=jobs.waits(db, job.provider) if job.state == "queued" else (),
    )


def _sending(db: Database, job: Job) -> tuple[Dataset, str]:
    """The dataset, and why the job could not be sent so far."""
    dataset = datasets.get(db, job.dataset_id)
    if job.state != "sending":
        return dataset, ""
    upload = datasets.upload_of(db, dataset.sha256, job.provider)
    waiting = upload.error if upload and upload.state == "sending" else None
    return dataset, str(job.progress.get("trouble") or waiting or "")


async def drop_facts(house: House, dataset: Dataset) -> DropFacts:
    """What belongs to a dataset that was checked; nothing for one that was not, or is gone."""
    names = house.providers.names
    facts = await house.store.read(lambda db: _around(db, dataset, names))
    if dataset.state != "ready":
        return facts
    labelled = [(await _label(house, name), upload) for name, upload in facts.uploads]
    offers, taken = await _fitting(house, dataset)
    since_usd = await _dearer(house, dataset, offers)
    return replace(facts, offers=offers, uploads=labelled, since_usd=since_usd, method_taken=taken)


async def _fitting(house: House, dataset: Dataset) -> tuple[list[Offer], bool]:
    """The first base of each provider that trains with data of this kind; ``False`` when none does."""
    found = await first_offers(house, dataset.id)
    if not all(dataset.method in offer.base.methods for offer in found):
        found = [one for one in await all_offers(house, dataset.id) if dataset.method in one.base.methods]
        found = list({one.provider: one for one in reversed(found)}.values())[::-1]
        return found, bool(found)
    return found, True


def _around(db: Database, dataset: Dataset, providers: Sequence[str]) -> DropFacts:
    uploads = [(name, datasets.upload_of(db, dataset.sha256, name)) for name in providers]
    others = [d for d in datasets.in_channel(db, dataset.channel) if d.sha256 != dataset.sha256]
    validation = datasets.get(db, dataset.validation_id) if dataset.validation_id else None
    if validation is not None and validation.state not in ("ready", "not_ready"):
        validation = None
    before = int(dataset.since.get("id") or 0)
    return DropFacts(
        uploads=[(name, upload) for name, upload in uploads if upload],
        jobs=[job.name for job in jobs.of_dataset(db, dataset.id)],
        has_validation=bool(others),
        origin=datasets.get(db, dataset.origin_id) if dataset.origin_id else None,
        copies=datasets.made_from(db, dataset.id),
        validation=validation,
        overlap=datasets.overlap_of(db, dataset.sha256, validation.sha256) if validation else None,
        since_jobs=[job.name for job in jobs.of_dataset(db, before)] if before else [],
        held=held(db, dataset),
    )


async def _dearer(house: House, dataset: Dataset, offers: Sequence[Offer]) -> float | None:
    """What this version costs more than the last one, at the first provider that charges."""
    first = next((offer for offer in offers if offer.usd), None)
    if first is None or first.usd is None or not dataset.since:
        return None
    try:
        before = await house.intake.prices(int(dataset.since["id"]), first.provider, first.base.model)
    except (StartRefused, NotFound):
        return None
    return first.usd - before.usd if before.usd is not None else None


async def finish_facts(house: House, job: Job) -> FinishFacts:
    """Checkpoints, score, safety result and the channel's present model."""
    profile = await profile_of(house, job.provider)
    base = profile.base(job.base) if profile else None
    asked = [base, *await _beside(house, job)]

    def look(db: Database) -> FinishFacts:
        safety = [event for event in jobs.events_of(db, job.id) if event.type == EVENT_TYPE]
        return FinishFacts(
            checkpoints=jobs.checkpoints_of(db, job.id),
            evaluation=jobs.evaluation_of(db, job.id),
            safety=safety[-1] if safety else None,
            in_use=chats.model_of(db, job.channel),
            shutdown_date=base.shutdown_date if base else None,
            score_offer=scoring.offer(db, job, *asked),
        )

    return await house.store.read(look)


async def _beside(house: House, job: Job) -> list[Base | None]:
    """The base under the channel's present model, if a score asks that one too; ``None``: nobody knows it."""
    used = await house.store.read(lambda db: scoring.present(db, job))
    if used is None or used.provider not in house.providers.names:
        return []
    profile = await profile_of(house, used.provider)
    if profile is None:
        return [None]
    return [profile.base(used.base) if profile.charges else Base(used.base, used.base, price_per_1m=0.0)]


async def _label(house: House, provider: str) -> str:
    profile = await profile_of(house, provider)
    return profile.label if profile else provider

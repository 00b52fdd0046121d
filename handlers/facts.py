"""What the views show beside the record itself, fetched."""

from __future__ import annotations

from handlers.house import House
from handlers.offers import first_offers, profile_of
from handlers.views.drop_card import DropFacts
from handlers.views.job_card import JobFacts
from handlers.views.notices import FinishFacts
from storage import chats, datasets, jobs
from storage.records import Dataset, Job, Upload
from storage.store import Database
from tuning.jobs.safety import EVENT_TYPE


async def job_facts(house: House, job: Job) -> JobFacts:
    """The job's dataset, how its provider is called and whether it charges."""
    dataset, trouble = await house.store.read(lambda db: _sending(db, job))
    profile = await profile_of(house, job.provider)
    if profile is None:
        return JobFacts(dataset, job.provider, trouble=trouble)
    return JobFacts(dataset, profile.label, profile.charges, trouble)


def _sending(db: Database, job: Job) -> tuple[Dataset, str]:
    """The dataset, and why the job could not be sent so far."""
    dataset = datasets.get(db, job.dataset_id)
    if job.state != "sending":
        return dataset, ""
    upload = datasets.upload_of(db, dataset.sha256, job.provider)
    waiting = upload.error if upload and upload.state == "sending" else None
    return dataset, str(job.progress.get("trouble") or waiting or "")


async def drop_facts(house: House, dataset: Dataset) -> DropFacts:
    """Prices, uploads and earlier jobs of a dataset that is ready; nothing for one that is not."""
    if dataset.state != "ready":
        return DropFacts()
    names = house.providers.names

    def look(db: Database) -> tuple[list[tuple[str, Upload]], list[str], bool]:
        uploads = [(name, datasets.upload_of(db, dataset.sha256, name)) for name in names]
        others = [d for d in datasets.in_channel(db, dataset.channel) if d.sha256 != dataset.sha256]
        trained = [job.name for job in jobs.of_dataset(db, dataset.id)]
        return [(name, upload) for name, upload in uploads if upload], trained, bool(others)

    uploads, trained, others = await house.store.read(look)
    labelled = [(await _label(house, name), upload) for name, upload in uploads]
    return DropFacts(await first_offers(house, dataset.id), labelled, trained, others)


async def finish_facts(house: House, job: Job) -> FinishFacts:
    """Checkpoints, score, safety result and the channel's present model."""
    profile = await profile_of(house, job.provider)
    base = profile.base(job.base) if profile else None

    def look(db: Database) -> FinishFacts:
        safety = [event for event in jobs.events_of(db, job.id) if event.type == EVENT_TYPE]
        return FinishFacts(
            checkpoints=jobs.checkpoints_of(db, job.id),
            evaluation=jobs.evaluation_of(db, job.id),
            safety=safety[-1] if safety else None,
            in_use=chats.model_of(db, job.channel),
            shutdown_date=base.shutdown_date if base else None,
        )

    return await house.store.read(look)


async def _label(house: House, provider: str) -> str:
    profile = await profile_of(house, provider)
    return profile.label if profile else provider

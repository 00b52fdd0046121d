"""Deletes a dataset's file at the providers that have it, unless something there still needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage import chats, datasets, jobs, outbox
from storage.chat_records import ChannelModel
from storage.records import Dataset, Job
from storage.store import Database, Store
from tuning.errors import DatasetBusy, JobError
from tuning.jobs import notices
from tuning.jobs.parts import Parts
from tuning.providers import Providers


@dataclass(frozen=True, slots=True)
class CopyThere:
    """The file of a dataset at one provider; ``needed_by``: what it has to stay for, in words."""

    provider: str
    file_id: str
    needed_by: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Ties:
    """What a dataset is tied to: copies at providers, open jobs, models made from it, where they answer."""

    there: Sequence[CopyThere] = ()
    open_jobs: Sequence[Job] = ()
    models: Sequence[Job] = ()
    in_use: Sequence[ChannelModel] = ()


def ties_of(db: Database, dataset: Dataset, providers: Sequence[str]) -> Ties:
    """What speaks against deleting a dataset, and what stays."""
    models = [job for job in jobs.of_dataset(db, dataset.id) if job.state == "ready" and job.fine_tuned_model]
    found = [_there(db, dataset, provider) for provider in providers]
    return Ties(
        there=[one for one in found if one is not None],
        open_jobs=jobs.needing(db, dataset.id),
        models=models,
        in_use=[choice for job in models for choice in chats.users_of(db, job.id)],
    )


def _there(db: Database, dataset: Dataset, provider: str) -> CopyThere | None:
    """The copy at one provider. The same content dropped elsewhere, or an open job, keeps it there."""
    upload = datasets.upload_of(db, dataset.sha256, provider) if dataset.sha256 else None
    if upload is not None and upload.state in ("due", "sending"):
        return CopyThere(provider, "on its way", "the sending; ask again in a minute")
    if upload is None or upload.file_id is None or upload.state != "sent":
        return None
    same = [other for other in datasets.with_content(db, upload.sha256) if other.id != dataset.id]
    waiting = [
        job for one in (dataset, *same) for job in jobs.needing(db, one.id) if job.provider == provider
    ]
    if waiting:
        return CopyThere(provider, upload.file_id, _called(waiting[0], dataset.channel))
    kept = next((other for other in same if other.state in ("ready", "not_ready")), None)
    return CopyThere(provider, upload.file_id, _called(kept, dataset.channel) if kept else "")


def _called(needing: Dataset | Job, channel: str) -> str:
    """What needs a file, by its name; not so in another channel, which may be a private one."""
    if isinstance(needing, Job):
        return needing.name if needing.channel == channel else "a job of another channel"
    return f"{needing.title if needing.channel == channel else 'a file of another channel'}, the same content"


async def withdraw(store: Store, providers: Providers, dataset: Dataset) -> list[str]:
    """Deletes the file at every provider where nothing needs it; the labels of those where it is gone.

    Raises:
        Refused, Unreachable: a provider did not do it. What was deleted before stays deleted.
    """
    ties = await store.read(lambda db: ties_of(db, dataset, providers.names))
    gone: list[str] = []
    for copy in ties.there:
        if copy.needed_by:
            continue
        provider = providers.get(copy.provider)
        await provider.gateway.delete_file(copy.file_id)
        gone.append(provider.last_profile.label if provider.last_profile else copy.provider)

        def forget(db: Database, copy: CopyThere = copy) -> None:
            datasets.forget_upload(db, str(dataset.sha256), copy.provider)
            datasets.change(db, dataset.id, gone_from=[*dataset.gone_from, *gone])

        await store.write(forget)
    return gone


def files_of(db: Database, job: Job) -> list[CopyThere]:
    """The files of a job that its provider still has; an open job of the same content needs them there."""
    found: list[CopyThere] = []
    for dataset_id in dict.fromkeys((job.dataset_id, job.validation_id)):
        sha256 = datasets.get(db, dataset_id).sha256 if dataset_id is not None else None
        upload = datasets.upload_of(db, sha256, job.provider) if sha256 else None
        if upload is None or upload.file_id is None or upload.state != "sent":
            continue
        same = datasets.with_content(db, upload.sha256)
        waiting = [other for one in same for other in jobs.needing(db, one.id)]
        needing = [_called(other, job.channel) for other in waiting if other.provider == job.provider]
        found.append(CopyThere(job.provider, upload.file_id, needing[0] if needing else "", upload.sha256))
    return found


async def withdraw_files(parts: Parts, job_id: int, by: str) -> Job:
    """Deletes the files of a job at its provider, as far as no open job needs them; the data stays here.

    Each leaves a line in the job's thread. Starting again sends them anew.

    Raises:
        NotFound: there is no such job. JobError: the provider has none of its files (any more).
        DatasetBusy: an open job needs them. Refused, Unreachable: the provider did not do it.
    """
    job, files = await parts.store.read(lambda db: _files(db, job_id))
    if not files:
        raise JobError(f"No file of {job.name} is known to be at its provider any more.")
    free = [copy for copy in files if not copy.needed_by]
    if not free:
        raise DatasetBusy(", ".join(dict.fromkeys(copy.needed_by for copy in files)))
    for copy in free:
        await parts.providers.get(copy.provider).gateway.delete_file(copy.file_id)

        def record(db: Database, copy: CopyThere = copy) -> None:
            datasets.forget_upload(db, copy.sha256, copy.provider)
            for dataset in datasets.with_content(db, copy.sha256):
                outbox.touch(db, f"drop:{dataset.id}")
            notices.told(db, job, "job_upload_deleted", parts.clock(), about=copy.file_id, by=by)

        await parts.store.write(record)
    return job


def _files(db: Database, job_id: int) -> tuple[Job, list[CopyThere]]:
    job = jobs.get(db, job_id)
    return job, files_of(db, job)

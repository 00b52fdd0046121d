"""Creates jobs at providers, one for each intent.

A create is tried once and never repeated blindly: from the first try on, the intent is looked up before the
next one, so neither a lost answer nor a crash can make a second job.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import cast

import structlog

from storage import datasets, jobs, outbox
from storage.records import Job, Upload
from storage.store import Database
from tuning.errors import NotCancellable, ProviderError, Refused, TuningError, Unreachable
from tuning.jobs import notices
from tuning.jobs.applying import ENDED, News, apply, fail, mark
from tuning.jobs.parts import CREATE_WAIT, Parts
from tuning.jobs.steering import found_in
from tuning.jobs.watching import read_news
from tuning.providers import CreateJob, Provider, ProviderJob

log = structlog.get_logger(__name__)

_OVER = frozenset({400})
"""How a cancel is refused when the job has ended; other refusals say nothing about the job."""


def uploads_of(db: Database, job: Job) -> list[Upload | None]:
    """The uploads a job needs: of its training data, then of its validation data if it has any."""
    ids = [job.dataset_id] + ([job.validation_id] if job.validation_id is not None else [])
    return [datasets.upload_of(db, datasets.get(db, one).sha256, job.provider) for one in ids]


async def create(parts: Parts, job_id: int) -> None:
    """Brings one ``sending`` job a step further, if it is due."""
    job = await parts.store.read(lambda db: jobs.get(db, job_id))
    if job.state != "sending" or job.poll_at > parts.clock():
        return
    uploads = await parts.store.read(lambda db: uploads_of(db, job))
    failed = next((u for u in uploads if u is None or u.state == "failed"), None)
    if (failed or None in uploads) and not job.attempts:
        message = failed.error if failed else "The data was never sent."
        await _fail(parts, job, {"code": "upload_refused", "message": message})
        return
    if not job.attempts and any(u is None or u.state != "sent" for u in uploads):
        return  # still on its way: looked at again once it is sent
    try:
        provider = parts.providers.get(job.provider)
        made = await _settle(parts, provider, job, [u.file_id if u else None for u in uploads])
    except Unreachable as problem:
        words, wait = str(problem), max(parts.backoff(job.attempts + 1, problem), CREATE_WAIT)
        await parts.store.write(lambda db: _later(db, job.id, parts.clock() + wait, words))
    except Refused as problem:
        await _fail(parts, job, dict(problem.record()))
        await clear_files(parts, job)
    except TuningError as problem:  # the provider was taken out of the configuration
        words = str(problem)
        if job.attempts:  # the job may exist there: looked up when the provider is back
            await parts.store.write(lambda db: _later(db, job.id, parts.clock() + parts.poll_max, words))
        else:
            await _fail(parts, job, {"code": "provider_missing", "message": words})
    else:
        if made is not None:
            await _created(parts, provider, job, made)


async def _settle(parts: Parts, provider: Provider, job: Job, files: list[str | None]) -> ProviderJob | None:
    """The provider's job for the intent: the one there, or a new one; ``None`` if it is no longer wanted."""
    wanted = _wanted(job, files)
    if job.attempts:
        found = await _look_up(provider, job, wanted)
        if found is not None or job.ended_by is not None:
            if found is None:
                await parts.store.write(lambda db: cancelled_unsent(db, job.id, parts.clock()))
            return found
    if None in files:
        raise Refused("file_not_found", None, "The provider no longer has the file of this job.")
    profile = await provider.profile()
    if not await parts.store.write(lambda db: _begin(db, job.id, parts.clock())):
        return None
    return await provider.gateway.create_job(wanted, hyperparameters=profile.hyperparameters)


async def _look_up(provider: Provider, job: Job, wanted: CreateJob) -> ProviderJob | None:
    """The job of an intent. A refused look-up tells nothing of what the create did, so it is tried again."""
    try:
        filters = (await provider.profile()).filters_metadata
        return await provider.gateway.find_job(wanted, filters=filters, since=job.created_at)
    except Refused as problem:
        raise Unreachable(
            problem.code, problem.status, str(problem), problem.provider_words, todo=problem.todo
        ) from problem


def _begin(db: Database, job_id: int, now: float) -> bool:
    """Notes the try before it happens; ``False`` when the job was called off meanwhile.

    A life that follows at once looks the job up when the provider has had the time to make it.
    """
    job = jobs.get(db, job_id)
    if job.state != "sending" or job.ended_by is not None:
        return False
    jobs.change(db, job_id, attempts=job.attempts + 1, poll_at=now + CREATE_WAIT)
    return True


def _wanted(job: Job, files: list[str | None]) -> CreateJob:
    training, *validation = cast("list[str]", files)
    chosen = job.settings
    return CreateJob(
        intent=job.intent,
        base=str(chosen.get("parent_model") or job.base),
        method=str(chosen.get("method") or "supervised"),
        suffix=job.name,
        training_file=training,
        validation_file=validation[0] if validation else None,
        epochs=chosen.get("epochs"),
        batch_size=chosen.get("batch_size"),
        learning_rate_multiplier=chosen.get("learning_rate_multiplier"),
        seed=chosen.get("seed"),
        beta=chosen.get("beta"),
        grader=chosen.get("grader"),
        wandb_project=chosen.get("wandb_project"),
    )


async def _created(parts: Parts, provider: Provider, job: Job, made: ProviderJob) -> None:
    def record(db: Database) -> Job:
        jobs.change(db, job.id, provider_job_id=made.id, attempts=0, poll_at=parts.clock())
        if made.status in ENDED:  # long ago, before it was found: the watch reads its events, then its end
            jobs.change(db, job.id, state="accepted")
            return jobs.get(db, job.id)
        return apply(db, job.id, News(made), parts.clock())

    now = await parts.store.write(record)
    if now.ended_by is not None:
        with suppress(NotCancellable, Unreachable):  # the watch tries again
            await cancel_at_provider(parts, provider, now, now.ended_by)
    parts.wake()


def _later(db: Database, job_id: int, at: float, trouble: str) -> None:
    job = jobs.get(db, job_id)
    if job.state == "sending":
        jobs.change(db, job_id, poll_at=at)
        mark(db, job_id, trouble=trouble)


async def _fail(parts: Parts, job: Job, error: dict[str, object]) -> None:
    await parts.store.write(lambda db: fail(db, job.id, error, parts.clock()))


async def clear_files(parts: Parts, job: Job) -> None:
    """Deletes what was uploaded for a job that the provider refused, unless another job uses it.

    Such a file stays, unless the provider has lost it, which may be why it refused: then the next job sends
    it anew.
    """
    for upload, used in await parts.store.read(lambda db: _sent(db, job)):
        assert upload.file_id is not None
        try:
            gateway = parts.providers.get(upload.provider).gateway
            if used and await gateway.has_file(upload.file_id):
                continue
            if not used:
                await gateway.delete_file(upload.file_id)
        except TuningError as problem:
            log.warning("refused_job_keeps_file", problem=type(problem).__name__)
            continue
        words = _LOST if used else _DELETED
        await parts.store.write(partial(_cleared, upload=upload, words=words, now=parts.clock()))


def _sent(db: Database, job: Job) -> list[tuple[Upload, bool]]:
    """The uploads of a job, and whether another job at this provider has used or will use them."""
    found: list[tuple[Upload, bool]] = []
    for upload in uploads_of(db, job):
        if upload is None or upload.state != "sent" or upload.file_id is None:
            continue
        others = [
            other
            for dataset in datasets.with_content(db, upload.sha256)
            for other in [*jobs.of_dataset(db, dataset.id), *jobs.needing(db, dataset.id)]
            if other.id != job.id and other.provider == upload.provider and other.state != "failed"
        ]
        found.append((upload, bool(others)))
    return found


_DELETED = "The provider took no job with it, so the file was deleted there."
_LOST = "The provider no longer has the file."


def _cleared(db: Database, upload: Upload, words: str, now: float) -> None:
    datasets.change_upload(
        db,
        upload.sha256,
        upload.provider,
        state="failed",
        file_id=None,
        attempts=0,
        error=words,
        updated_at=now,
    )
    for dataset in datasets.with_content(db, upload.sha256):
        outbox.touch(db, f"drop:{dataset.id}")


def cancelled_unsent(db: Database, job_id: int, now: float) -> None:
    """Ends a job that never came to be at the provider."""
    job = jobs.get(db, job_id)
    if job.state == "sending":
        jobs.change(db, job_id, state="cancelled", finished_at=now)
        notices.in_thread(db, job, "job_cancelled", now)
        jobs.touch_card(db, job_id)


def _not_cancellable(job: Job, problem: Refused) -> NotCancellable:
    if problem.status not in _OVER:
        return NotCancellable(f"{job.name} was not cancelled: {problem}", problem.todo)
    return NotCancellable(
        f"{job.name} cannot be cancelled: the provider says it has ended or is ending.",
        "Its card shows how it ended in a moment.",
    )


async def cancel_at_provider(parts: Parts, provider: Provider, job: Job, by: str) -> Job:
    """Asks the provider to cancel for ``by`` and keeps its answer, with what happened until then.

    Raises:
        NotCancellable: the provider says that the job has ended, or refuses to cancel it.
        Unreachable: it does not answer.
    """
    assert job.provider_job_id is not None
    try:
        answer = await provider.gateway.cancel(job.provider_job_id)
    except Refused as problem:
        done = await found_in(provider.gateway, job.provider_job_id, {"cancelled"})
        if done is None:
            parts.wake()
            raise _not_cancellable(job, problem) from problem
        answer = done
    try:
        news = await read_news(parts, provider.gateway, job, answer)
    except ProviderError:  # it is cancelled all the same: the watch reads on, and tells the end
        news = None

    def record(db: Database) -> Job:
        jobs.change(db, job.id, poll_at=parts.clock(), ended_by=by)
        return apply(db, job.id, news, parts.clock()) if news else jobs.get(db, job.id)

    changed = await parts.store.write(record)
    parts.wake()
    return changed

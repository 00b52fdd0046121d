"""What the provider said about a job becomes its record, events, checkpoints and notices, all at once.

:func:`apply` is one transaction: nothing of it is kept without the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from storage import jobs
from storage.records import WATCHED_JOB_STATES, Checkpoint, Evaluation, Event, Job, JobState
from storage.store import Database
from tuning.jobs import notices
from tuning.jobs.failures import job_error
from tuning.jobs.figures import gather, worth_a_notice
from tuning.jobs.safety import read_safety
from tuning.providers.answers import ProviderCheckpoint, ProviderEvent, ProviderJob

Json = dict[str, Any]

NO_MODEL_SECONDS = 600.0
"""How long a succeeded job may be without a model before it is called failed."""

LATE_SECONDS = 60.0
"""How long the end of a job waits for steps and checkpoints of it that the provider has not told yet."""

_STATES: dict[str, JobState] = {
    "validating_files": "accepted",
    "queued": "queued",
    "running": "training",
    "paused": "paused",
    "failed": "failed",
    "cancelled": "cancelled",
}
ENDED = frozenset({"succeeded", "failed", "cancelled"})
"""The provider's statuses after which nothing more happens; every unknown one counts as in progress."""


@dataclass(frozen=True, slots=True)
class News:
    """What the provider said about one job: the job, events oldest first, checkpoints in step order."""

    job: ProviderJob
    events: Sequence[ProviderEvent] = field(default_factory=tuple[ProviderEvent, ...])
    checkpoints: Sequence[ProviderCheckpoint] = field(default_factory=tuple[ProviderCheckpoint, ...])


def apply(db: Database, job_id: int, news: News, now: float) -> Job:
    """Keeps the news of a job; answers the job as it is now. A job that has ended stays as it is."""
    job = jobs.get(db, job_id)
    if job.state not in WATCHED_JOB_STATES and job.state != "sending":
        return job
    fresh = [e for e in (_event(job, e) for e in news.events) if jobs.add_event(db, e)]
    fresh_points = _keep_checkpoints(db, job, news.checkpoints)
    epochs = news.job.epochs or job.settings.get("epochs") or job.estimate.get("epochs")
    progress, ended = gather(job.progress, fresh, epochs)
    for gone in ("silent", "trouble", "missing"):
        progress.pop(gone, None)
    for epoch in ended:
        if worth_a_notice(epoch["epoch"], progress["epochs"]):
            notices.in_thread(
                db, job, "job_epoch", now, about=epoch["epoch"], epochs=progress["epochs"], **epoch
            )
    _note_tenth(db, job, progress, now)
    _note_safety(db, job, fresh, progress, now)
    changes = _changes(db, job, news, progress, now)
    if changes["state"] == "training" and job.started_at is None:
        changes["started_at"] = next((e.at for e in fresh if "job started" in e.message), now)
    jobs.change(db, job_id, heard_at=now, **changes)
    after = jobs.get(db, job_id)
    _note_state(db, job, after, now)
    if fresh or fresh_points or any(getattr(job, name) != value for name, value in changes.items()):
        jobs.touch_card(db, job_id)
    return after


def _event(job: Job, event: ProviderEvent) -> Event:
    return Event(job.id, event.id, event.at, event.level, event.type, event.message, event.data)


def _keep_checkpoints(db: Database, job: Job, found: Sequence[ProviderCheckpoint]) -> int:
    known = jobs.checkpoints_of(db, job.id)
    number = max((c.number for c in known), default=0)
    kept = {c.checkpoint_id for c in known}
    new = [c for c in sorted(found, key=lambda c: c.step) if c.id not in kept]
    for place, c in enumerate(new, number + 1):
        jobs.put_checkpoint(db, Checkpoint(job.id, c.id, c.model, c.step, place, c.created_at, c.metrics))
    return len(new)


def _note_tenth(db: Database, job: Job, progress: Json, now: float) -> None:
    """Every tenth of the training, for channels that want to know."""
    step, total = progress.get("step"), progress.get("total_steps")
    before = job.progress.get("step") or 0
    if not step or not total or step >= total:
        return
    tenth = 10 * step // total
    if tenth > 10 * before // total:
        loss = progress.get("train_loss")
        notices.in_thread(db, job, "job_step", now, about=tenth, tenth=tenth, step=step, train_loss=loss)


def _note_safety(db: Database, job: Job, fresh: list[Event], progress: Json, now: float) -> None:
    for event in fresh:
        safety = read_safety(event)
        if safety is not None:
            progress["safety"] = safety.record()
            notices.in_thread(
                db, job, "job_safety", now, about=event.event_id, event_id=event.event_id, **safety.record()
            )


def _changes(db: Database, job: Job, news: News, progress: Json, now: float) -> Json:
    theirs = news.job
    state = _state(db, job, theirs, progress, now)
    progress["estimated_finish"] = theirs.estimated_finish or _own_estimate(progress)
    changes: Json = {"status": theirs.status, "provider_job_id": theirs.id, "state": state}
    if state in ("ready", "scoring", "failed", "cancelled"):
        changes["finished_at"] = theirs.finished_at or now
        changes["fine_tuned_model"] = theirs.fine_tuned_model
        changes["trained_tokens"] = theirs.trained_tokens
        progress["estimated_finish"] = progress["ended_at"] = None
        progress |= _billed(job, theirs)
    if state == "failed":
        changes["error"] = _error(db, job, theirs)
    if state == "paused" and job.state != "paused":
        progress["pauses"] = int(progress.get("pauses", 0)) + 1
    return changes | {"progress": {k: v for k, v in progress.items() if v is not None}}


def _state(db: Database, job: Job, theirs: ProviderJob, progress: Json, now: float) -> JobState:
    if theirs.status == "succeeded":
        waited = now - progress.setdefault("ended_at", now)  # by our clock: theirs may be another
        if not theirs.fine_tuned_model:
            return "failed" if waited > NO_MODEL_SECONDS else "safety"
        if waited < LATE_SECONDS and not _told_whole(db, job, progress):
            return "safety"
        return "scoring" if _scorable(job) and not job.estimate.get("charges") else "ready"
    state = _STATES.get(theirs.status)
    if state is None:
        return job.state if job.state in WATCHED_JOB_STATES else "accepted"
    over = progress.get("step", 0) >= progress.get("total_steps", 1) or "safety" in progress
    return "safety" if state == "training" and over else state


def _told_whole(db: Database, job: Job, progress: Json) -> bool:
    """Whether the last step was told, and a checkpoint is listed where one was spoken of."""
    if progress.get("step", 0) < progress.get("total_steps", 0):
        return False
    spoken = any(event.message.startswith("Checkpoint created") for event in jobs.events_of(db, job.id))
    return not spoken or bool(jobs.checkpoints_of(db, job.id))


def _scorable(job: Job) -> bool:
    """Whether there are rows with answers to compare with: reinforcement has none."""
    return job.validation_id is not None and job.settings.get("method") != "reinforcement"


def _own_estimate(progress: Json) -> float | None:
    step, total, pace = (progress.get(k) for k in ("step", "total_steps", "step_seconds"))
    if not step or not total or pace is None or step >= total:
        return None
    return progress["steps_at"][-1][1] + (total - step) * pace


def _billed(job: Job, theirs: ProviderJob) -> Json:
    price = job.estimate.get("price_per_1m")
    if theirs.trained_tokens is None or price is None:
        return {}
    return {"billed_usd": round(theirs.trained_tokens / 1_000_000 * price, 4)}


def _error(db: Database, job: Job, theirs: ProviderJob) -> Json:
    if theirs.error:
        return job_error(theirs.error)
    if theirs.status == "succeeded":
        return job_error({"code": "no_model"})
    told = reversed(jobs.events_of(db, job.id))
    last = next((event.message for event in told if event.level == "error"), "")
    return job_error({"code": "unknown", "message": last})


def _note_state(db: Database, before: Job, job: Job, now: float) -> None:
    if job.state == before.state:
        return
    if job.state == "paused":
        notices.in_thread(db, job, "job_paused", now, about=job.progress.get("pauses"))
    elif before.state == "paused" and job.state in ("queued", "training", "safety"):
        notices.in_thread(db, job, "job_resumed", now, about=job.progress.get("pauses"))
    if job.state == "scoring":
        jobs.want_evaluation(db, Evaluation(job.id, "due", now))
    elif job.state == "ready":
        if _scorable(job):
            jobs.want_evaluation(db, Evaluation(job.id, "asked", now))
        notices.in_thread(db, job, "job_finished", now)
    elif job.state == "failed":
        notices.in_thread(db, job, "job_failed", now)
    elif job.state == "cancelled":
        notices.in_thread(db, job, "job_cancelled", now)


def fail(db: Database, job_id: int, error: Json, now: float) -> Job:
    """Ends a job with an error of our own or of a refused request; a job that has ended stays as it is."""
    job = jobs.get(db, job_id)
    if job.state not in WATCHED_JOB_STATES and job.state != "sending":
        return job
    progress = {k: v for k, v in job.progress.items() if k not in ("silent", "trouble", "missing")}
    jobs.change(
        db, job_id, state="failed", error=job_error(error), finished_at=now, heard_at=now, progress=progress
    )
    notices.in_thread(db, job, "job_failed", now)
    jobs.touch_card(db, job_id)
    return jobs.get(db, job_id)


def mark(db: Database, job_id: int, **figures: Any) -> None:
    """Sets figures of a job's progress (``None`` removes one); touches the card when anything changed."""
    job = jobs.get(db, job_id)
    after = {k: v for k, v in (job.progress | figures).items() if v is not None}
    if after != job.progress:
        jobs.change(db, job_id, progress=after)
        jobs.touch_card(db, job_id)

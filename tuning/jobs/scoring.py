"""Scores finished jobs on their validation rows; the finished notice goes out with the result."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

from storage import chats, datasets, jobs
from storage.records import Evaluation, Job
from storage.store import Database
from tuning.datasets import rows
from tuning.errors import EvaluationFailed, TuningError
from tuning.evaluation import Scored, score
from tuning.jobs import notices
from tuning.jobs.parts import Parts
from tuning.jobs.shelf import unpacked

TRIES = 3
ROWS = 50
"""Rows asked at most: enough to see a difference, few enough to be quick and cheap."""


def is_due(parts: Parts, evaluation: Evaluation) -> bool:
    """Whether a score may be tried now; one that was ``running`` in an earlier life is begun again."""
    wait = min(parts.poll_min * 2**evaluation.attempts, parts.poll_max) if evaluation.attempts else 0.0
    return parts.clock() >= evaluation.updated_at + wait


async def evaluate(parts: Parts, job_id: int) -> None:
    """Tries one score, if it is due; after the third failure the job is ready without one."""
    job, evaluation = await parts.store.read(
        lambda db: (jobs.get(db, job_id), jobs.evaluation_of(db, job_id))
    )
    if evaluation is None or evaluation.state not in ("due", "running") or not is_due(parts, evaluation):
        return
    attempt = evaluation.attempts + 1
    now = parts.clock()
    await parts.store.write(
        lambda db: jobs.change_evaluation(db, job.id, state="running", attempts=attempt, updated_at=now)
    )
    try:
        found = await _scores(parts, job)
    except (TuningError, OSError) as problem:
        await _record(parts, job, attempt, state="failed", error=str(problem))
    else:
        await _record(parts, job, TRIES, state="done", metric=found.metric, scores=found.scores)


async def _scores(parts: Parts, job: Job) -> Scored:
    assert job.validation_id is not None
    validation = await parts.store.read(lambda db: datasets.get(db, job.validation_id or 0))
    if validation.path is None:
        raise EvaluationFailed("The validation file is no longer kept here.")
    found = await asyncio.to_thread(_read, Path(validation.path))
    models = await parts.store.read(lambda db: _models(db, job))
    return await score(parts.providers.get(job.provider).gateway, models, found, limit=ROWS)


def _read(path: Path) -> list[dict[str, Any]]:
    """Rows to score; a few more than asked for, as some may have no answer to compare with."""
    with unpacked(path) as plain:
        return [row for _, row in itertools.islice(rows(plain), ROWS * 4)]


def _models(db: Database, job: Job) -> list[tuple[str, str]]:
    """The base, the model the channel uses now if that is another one of this provider, and the new one."""
    models = [(job.base, job.base)]
    used = chats.model_of(db, job.channel)
    other = used and used.provider == job.provider and used.model not in (job.base, job.fine_tuned_model)
    if used is not None and other:
        models.append((used.label, used.model))
    return [*models, (job.name, job.fine_tuned_model or "")]


async def _record(parts: Parts, job: Job, attempt: int, **result: Any) -> None:
    """Keeps a result; the last try also makes the job ready and sends the finished notice."""
    now = parts.clock()

    def transaction(db: Database) -> None:
        if attempt < TRIES:
            jobs.change_evaluation(db, job.id, **(result | {"state": "due", "updated_at": now}))
            return
        jobs.change_evaluation(db, job.id, **(result | {"updated_at": now}))
        if jobs.get(db, job.id).state == "scoring":
            jobs.change(db, job.id, state="ready")
            notices.in_thread(db, job, "job_finished", now)
            jobs.touch_card(db, job.id)

    await parts.store.write(transaction)

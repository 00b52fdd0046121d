"""Scores finished jobs on their validation rows.

Where answers cost nothing, the finished notice goes out with the result. Where they do, it goes out with the
price, a person asks for the score, and the result is a notice of its own.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import chats, datasets, jobs
from storage.chat_records import ChannelModel
from storage.records import Dataset, Evaluation, Job
from storage.store import Database
from tuning.datasets import Report, estimate, rows
from tuning.errors import EvaluationFailed, TuningError
from tuning.evaluation import ROWS, Candidate, Scored, score
from tuning.jobs import notices
from tuning.jobs.parts import Parts
from tuning.jobs.shelf import unpacked
from tuning.providers import Base

TRIES = 3


@dataclass(frozen=True, slots=True)
class ScoreOffer:
    """What a score would take: rows, models, and US dollars (``None``: not known)."""

    rows: int
    models: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class Present:
    """The model that the channel uses now, where a score asks it too: its provider and the base under it."""

    provider: str
    base: str


def present(db: Database, job: Job) -> Present | None:
    """The third model of a score; ``None`` where the channel uses none, the job's or its base."""
    used = _in_use(db, job)
    if used is None:
        return None
    return Present(used.provider, jobs.get(db, used.job_id).base if used.job_id else used.model)


def offer(db: Database, job: Job, *bases: Base | None) -> ScoreOffer | None:
    """What a score of a job would take; ``None`` without validation rows.

    ``bases``: that of the job, and that of the channel's present model where one is asked; ``None``: its
    price is not known. The price is that of a fine-tune for every answer: the base itself may be cheaper.
    """
    if job.validation_id is None:
        return None
    validation = datasets.get(db, job.validation_id)
    count, asked = min(ROWS, validation.examples), (bases[0], *bases)
    prices = [_per_1k(validation, base) for base in asked]
    known = [price for price in prices if price is not None]
    usd = sum(known) / 1_000 * count if len(known) == len(prices) else None
    return ScoreOffer(count, len(asked), usd)


def _per_1k(validation: Dataset, base: Base | None) -> float | None:
    if base is not None and base.price_per_1m == 0:
        return 0.0
    if base is None or not validation.report:
        return None
    return estimate(Report.from_json(validation.report), base.info(), 1).serving_usd_per_1k


def ask_for(db: Database, job_id: int, now: float) -> Job:
    """A person wants the score of a job and knows its price.

    Raises:
        EvaluationFailed: there is nothing to score, or it is being scored, or was.
    """
    job, evaluation = jobs.get(db, job_id), jobs.evaluation_of(db, job_id)
    if evaluation is None or job.state != "ready":
        raise EvaluationFailed(f"{job.name} has no validation rows to be scored on.")
    if evaluation.state not in ("asked", "failed"):
        done = evaluation.state == "done"
        raise EvaluationFailed(
            f"{job.name} {'was scored already' if done else 'is being scored'}: see its thread."
        )
    jobs.change_evaluation(db, job_id, state="due", attempts=0, error=None, updated_at=now)
    return job


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
    used = await parts.store.read(lambda db: _in_use(db, job))
    return await score(await _candidates(parts, job, used), found)


def _read(path: Path) -> list[dict[str, Any]]:
    """Rows to score; a few more than asked for, as some may have no answer to compare with."""
    with unpacked(path) as plain:
        return [row for _, row in itertools.islice(rows(plain), ROWS * 4)]


def _in_use(db: Database, job: Job) -> ChannelModel | None:
    """The model that the channel uses now, if it is another one than the job's and its base."""
    used = chats.model_of(db, job.channel)
    return used if used is not None and used.model not in (job.base, job.fine_tuned_model) else None


async def _candidates(parts: Parts, job: Job, used: ChannelModel | None) -> list[Candidate]:
    """The base, the channel's present model, and the new one.

    A present model at another provider that takes a fee is asked only where a person was told the price.
    """
    own = parts.providers.get(job.provider).gateway
    found = [Candidate(job.base, job.base, own), Candidate(job.name, job.fine_tuned_model or "", own)]
    if used is None or used.provider not in parts.providers.names:
        return found
    there = parts.providers.get(used.provider)
    told = bool(job.estimate.get("charges"))
    if told or used.provider == job.provider or not (await there.profile()).charges:
        found.insert(1, Candidate(used.label, used.model, there.gateway))
    return found


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
        else:
            notices.told(db, job, "job_scored", now, about=int(now))

    await parts.store.write(transaction)

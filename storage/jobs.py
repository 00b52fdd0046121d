"""Jobs, their events, checkpoints and evaluations."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from storage.errors import NotFound
from storage.records import OPEN_JOB_STATES, Checkpoint, Evaluation, Event, Job, JobState
from storage.rows import first, insert, pairs, run, scalar, select, update


def add(db: Database, job: Job) -> Job:
    """Keeps a new job (``id`` is given here); the same intent a second time answers the job that is there."""
    insert(db, "jobs", job, drop=("id",), ignore=True)
    found = by_intent(db, job.intent)
    if found is None:
        raise NotFound(f"The name {job.name} is taken by another job.")
    return found


def get(db: Database, job_id: int) -> Job:
    """One job.

    Raises:
        NotFound: there is none with this id.
    """
    found = first(db, Job, "SELECT * FROM jobs WHERE id = ?", [job_id])
    if found is None:
        raise NotFound(f"There is no job {job_id}.")
    return found


def by_intent(db: Database, intent: str) -> Job | None:
    """The job of an intent."""
    return first(db, Job, "SELECT * FROM jobs WHERE intent = ?", [intent])


def by_name(db: Database, name: str) -> Job | None:
    """The job with this short name (``triage-7``), upper and lower case alike."""
    return first(db, Job, "SELECT * FROM jobs WHERE name = ? COLLATE NOCASE", [name])


def next_number(db: Database, suffix: str) -> int:
    """The number the next job with this suffix gets, from 1."""
    top = scalar(db, "SELECT max(number) FROM jobs WHERE suffix = ? COLLATE NOCASE", [suffix])
    return int(top or 0) + 1


def change(db: Database, job_id: int, **changes: Any) -> None:
    """Changes fields of a job."""
    update(db, "jobs", {"id": job_id}, changes)


def in_states(db: Database, *states: JobState) -> list[Job]:
    """Jobs in any of these states, oldest first."""
    marks = ", ".join("?" for _ in states)
    return select(db, Job, f"SELECT * FROM jobs WHERE state IN ({marks}) ORDER BY id", list(states))


def in_channel(db: Database, channel: str, *, limit: int = 10) -> list[Job]:
    """Jobs of a channel that were not put away, those still open first, then newest first."""
    marks = ", ".join("?" for _ in OPEN_JOB_STATES)
    return select(
        db,
        Job,
        "SELECT * FROM jobs WHERE channel = ? AND NOT archived"
        f" ORDER BY state IN ({marks}) DESC, id DESC LIMIT ?",
        [channel, *OPEN_JOB_STATES, limit],
    )


def archived_in(db: Database, channel: str, *, limit: int = 100) -> list[Job]:
    """Jobs of a channel that were put away, newest first."""
    return select(
        db,
        Job,
        "SELECT * FROM jobs WHERE channel = ? AND archived ORDER BY id DESC LIMIT ?",
        [channel, limit],
    )


def by_provider_id(db: Database, provider: str, provider_job_id: str) -> Job | None:
    """The job that a provider knows by this id."""
    return first(
        db,
        Job,
        "SELECT * FROM jobs WHERE provider = ? AND provider_job_id = ?",
        [provider, provider_job_id],
    )


def by_model(db: Database, provider: str, model: str) -> Job | None:
    """The job whose model a provider knows by this id."""
    return first(db, Job, "SELECT * FROM jobs WHERE provider = ? AND fine_tuned_model = ?", [provider, model])


def tuned_models(db: Database, provider: str) -> frozenset[str]:
    """The ids of every model and checkpoint that jobs made at a provider."""
    found = pairs(
        db,
        "SELECT fine_tuned_model FROM jobs WHERE provider = ? AND fine_tuned_model IS NOT NULL"
        " UNION SELECT checkpoints.model FROM checkpoints JOIN jobs ON jobs.id = checkpoints.job_id"
        " WHERE jobs.provider = ?",
        [provider, provider],
    )
    return frozenset(str(model) for (model,) in found)


def with_model(db: Database, channel: str, *, limit: int = 20) -> list[Job]:
    """Jobs of a channel whose model answers, newest first; those put away are left out."""
    return select(
        db,
        Job,
        "SELECT * FROM jobs WHERE channel = ? AND state = 'ready' AND fine_tuned_model IS NOT NULL"
        " AND NOT archived ORDER BY id DESC LIMIT ?",
        [channel, limit],
    )


def paces(db: Database, provider: str, base: str, *, limit: int = 9) -> list[float]:
    """Seconds for 1,000 trained tokens of the newest finished jobs of a base, newest first."""
    return [
        float(pace)
        for (pace,) in pairs(
            db,
            "SELECT (finished_at - started_at) * 1000.0 / trained_tokens FROM jobs"
            " WHERE provider = ? AND base = ? AND state = 'ready' AND trained_tokens > 0"
            " AND finished_at > started_at ORDER BY id DESC LIMIT ?",
            [provider, base, limit],
        )
    ]


def waits(db: Database, provider: str, *, limit: int = 9) -> list[float]:
    """Seconds from the start to the training of the provider's newest jobs that trained."""
    return [
        float(wait)
        for (wait,) in pairs(
            db,
            "SELECT started_at - created_at FROM jobs WHERE provider = ? AND started_at >= created_at"
            " ORDER BY id DESC LIMIT ?",
            [provider, limit],
        )
    ]


def since(db: Database, moment: float) -> list[Job]:
    """Jobs created at or after ``moment``, newest first."""
    return select(db, Job, "SELECT * FROM jobs WHERE created_at >= ? ORDER BY id DESC", [moment])


def of_owner(db: Database, owner: str, *, limit: int = 20) -> list[Job]:
    """Jobs a person started, newest first."""
    return select(
        db,
        Job,
        "SELECT * FROM jobs WHERE owner = ? AND NOT archived ORDER BY id DESC LIMIT ?",
        [owner, limit],
    )


def of_dataset(db: Database, dataset_id: int) -> list[Job]:
    """Jobs that train or trained on a dataset, newest first."""
    return select(db, Job, "SELECT * FROM jobs WHERE dataset_id = ? ORDER BY id DESC", [dataset_id])


def needing(db: Database, dataset_id: int) -> list[Job]:
    """Open jobs that train or are to be scored on a dataset."""
    marks = ", ".join("?" for _ in OPEN_JOB_STATES)
    return select(
        db,
        Job,
        f"SELECT * FROM jobs WHERE (dataset_id = ? OR validation_id = ?) AND state IN ({marks}) ORDER BY id",
        [dataset_id, dataset_id, *OPEN_JOB_STATES],
    )


def add_event(db: Database, event: Event) -> bool:
    """Keeps an event; ``False`` when it is known already."""
    return bool(insert(db, "events", event, ignore=True))


def events_of(db: Database, job_id: int) -> list[Event]:
    """Events of a job, oldest first."""
    return select(db, Event, "SELECT * FROM events WHERE job_id = ? ORDER BY at, rowid", [job_id])


def knows_event(db: Database, job_id: int, event_id: str) -> bool:
    """Whether this event was kept before."""
    return (
        scalar(db, "SELECT 1 FROM events WHERE job_id = ? AND event_id = ?", [job_id, event_id]) is not None
    )


def newest_event_ids(db: Database, job_id: int, limit: int) -> set[str]:
    """Ids of the ``limit`` events of a job kept last."""
    newest = "SELECT * FROM events WHERE job_id = ? ORDER BY rowid DESC LIMIT ?"
    return {event.event_id for event in select(db, Event, newest, [job_id, limit])}


def put_checkpoint(db: Database, checkpoint: Checkpoint) -> bool:
    """Keeps a checkpoint; ``False`` when it is known already."""
    return bool(insert(db, "checkpoints", checkpoint, ignore=True))


def checkpoints_of(db: Database, job_id: int) -> list[Checkpoint]:
    """Checkpoints of a job in step order."""
    return select(db, Checkpoint, "SELECT * FROM checkpoints WHERE job_id = ? ORDER BY step", [job_id])


def checkpoint_by_model(db: Database, model: str) -> Checkpoint | None:
    """The checkpoint with this model id."""
    return first(db, Checkpoint, "SELECT * FROM checkpoints WHERE model = ?", [model])


def want_evaluation(db: Database, evaluation: Evaluation) -> None:
    """Asks for a score; a second asking changes nothing."""
    insert(db, "evaluations", evaluation, ignore=True)


def evaluation_of(db: Database, job_id: int) -> Evaluation | None:
    """The score of a job."""
    return first(db, Evaluation, "SELECT * FROM evaluations WHERE job_id = ?", [job_id])


def evaluations_in(db: Database, *states: str) -> list[Evaluation]:
    """Scores in any of these states."""
    marks = ", ".join("?" for _ in states)
    return select(
        db,
        Evaluation,
        f"SELECT * FROM evaluations WHERE state IN ({marks}) ORDER BY job_id",
        list(states),
    )


def change_evaluation(db: Database, job_id: int, **changes: Any) -> None:
    """Changes fields of a score."""
    update(db, "evaluations", {"job_id": job_id}, changes)


def touch_card(db: Database, job_id: int) -> None:
    """Says that the job's card no longer shows the truth."""
    run(db, "UPDATE cards SET dirty = dirty + 1 WHERE key = ?", [f"job:{job_id}"])


def count_by_state(db: Database) -> dict[str, int]:
    """How many jobs are in each state."""
    return {str(state): int(n) for state, n in pairs(db, "SELECT state, count(*) FROM jobs GROUP BY state")}

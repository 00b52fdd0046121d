"""Fine-tuning jobs: every change of their state.

States go `validating_files` → `queued` → `running` → `succeeded`, and to `failed` or `cancelled` from
any of the first three. `paused` may follow each of these three and goes back to the queue. A job that runs
is paused by its own process: `ask_pause` leaves a wish, which the process reads after each step. A change
that comes too late (the job was cancelled meanwhile) raises `NoLongerActive`, so that a training
process can never write over a person's decision.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import asdict
from typing import Any

from trainserver import deliveries, events
from trainserver.errors import BadRequest, JobFailed, TrainserverError
from trainserver.hyperparameters import Resolved
from trainserver.jobrecords import Job, add, get, listed, waiting

__all__ = [
    "ACTIVE",
    "LIVING",
    "Job",
    "NoLongerActive",
    "add",
    "ask_pause",
    "cancel",
    "died",
    "get",
    "listed",
    "mark_failed",
    "mark_paused",
    "mark_running",
    "mark_step",
    "mark_succeeded",
    "mark_validated",
    "requeue",
    "resume",
    "waiting",
    "wish",
]
ACTIVE = ("validating_files", "queued", "running")
LIVING = (*ACTIVE, "paused")


class NoLongerActive(TrainserverError):
    """The job ended meanwhile; stop working on it."""


def _move(
    connection: sqlite3.Connection, job_id: str, sources: tuple[str, ...], changes: dict[str, object]
) -> None:
    columns = ", ".join(f"{column} = ?" for column in changes)
    marks = ", ".join("?" for _ in sources)
    done = connection.execute(
        f"UPDATE jobs SET {columns} WHERE id = ? AND status IN ({marks})",
        (*changes.values(), job_id, *sources),
    )
    if done.rowcount == 0:
        raise NoLongerActive(f"{job_id} is no longer {' or '.join(sources)}")


def mark_validated(connection: sqlite3.Connection, job_id: str) -> None:
    """`validating_files` → `queued`."""
    _move(connection, job_id, ("validating_files",), {"status": "queued"})
    events.add(connection, job_id, "queued", "Files validated, moving job to queued state")


def mark_running(connection: sqlite3.Connection, job_id: str, resolved: Resolved) -> None:
    """`queued` → `running`, with the numbers in place of `auto`."""
    _move(
        connection,
        job_id,
        ("queued",),
        {
            "status": "running",
            "started_at": get(connection, job_id).started_at or int(time.time()),
            "hyperparameters": json.dumps(asdict(resolved)),
        },
    )
    events.add(connection, job_id, "started", "Fine-tuning job started")


def mark_step(
    connection: sqlite3.Connection, job_id: str, metrics: dict[str, Any], message: str, finish: int
) -> None:
    """One training step was done; `finish` is when the job is expected to end."""
    _move(connection, job_id, ("running",), {"estimated_finish": finish})
    events.add(connection, job_id, f"step:{metrics['step']}", message, type="metrics", data=metrics)


def mark_succeeded(
    connection: sqlite3.Connection, job_id: str, *, model: str, trained_tokens: int, result_file: str
) -> None:
    """`running` → `succeeded`."""
    _move(
        connection,
        job_id,
        ("running",),
        {
            "status": "succeeded",
            "finished_at": int(time.time()),
            "estimated_finish": None,
            "wish": None,
            "fine_tuned_model": model,
            "trained_tokens": trained_tokens,
            "result_file": result_file,
        },
    )
    events.add(connection, job_id, "model", f"New fine-tuned model created: {model}")
    events.add(connection, job_id, "completed", "The job has successfully completed")
    _tell(connection, job_id, "succeeded")


def mark_failed(connection: sqlite3.Connection, job_id: str, failure: JobFailed) -> None:
    """Any active state → `failed`, with the reason as the job's `error`."""
    error = {"code": failure.code, "message": failure.message, "param": failure.param}
    _move(
        connection,
        job_id,
        ACTIVE,
        {
            "status": "failed",
            "finished_at": int(time.time()),
            "estimated_finish": None,
            "wish": None,
            "error": json.dumps(error),
        },
    )
    events.add(connection, job_id, "failed", f"The job failed: {failure.message}", level="error")
    _tell(connection, job_id, "failed")


def _tell(connection: sqlite3.Connection, job_id: str, ending: str) -> None:
    """Leave word for the webhooks in the same transaction that ends the job."""
    deliveries.add(connection, f"fine_tuning.job.{ending}", job_id)


def cancel(connection: sqlite3.Connection, job_id: str) -> Job:
    """Any state that is no end → `cancelled`. Raises `BadRequest` when the job has ended."""
    job = get(connection, job_id)
    if job.status not in LIVING:
        raise BadRequest(f"Job has already completed: {job_id} is {job.status}.", code="job_not_active")
    _move(
        connection,
        job_id,
        LIVING,
        {"status": "cancelled", "finished_at": int(time.time()), "estimated_finish": None, "wish": None},
    )
    events.add(connection, job_id, "cancelled", "Fine-tuning job cancelled")
    _tell(connection, job_id, "cancelled")
    return get(connection, job_id)


def wish(connection: sqlite3.Connection, job_id: str) -> str | None:
    """What somebody wants of a running job: `pause`, or None."""
    row = connection.execute("SELECT wish FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else row["wish"]


def ask_pause(connection: sqlite3.Connection, job_id: str) -> Job:
    """Pause a waiting job at once, leave a running one the wish. Raises `BadRequest` when it has ended."""
    job = get(connection, job_id)
    if job.status == "running":
        _move(connection, job_id, ("running",), {"wish": "pause"})
    elif job.status in ACTIVE:
        _pause(connection, job_id, job.status)
    else:
        raise BadRequest(f"Job cannot be paused: {job_id} is {job.status}.", code="job_not_active")
    return get(connection, job_id)


def mark_paused(connection: sqlite3.Connection, job_id: str) -> None:
    """`running` → `paused`; the process has saved where it is and ends now."""
    _pause(connection, job_id, "running")


def _pause(connection: sqlite3.Connection, job_id: str, source: str) -> None:
    _move(connection, job_id, (source,), {"status": "paused", "estimated_finish": None, "wish": None})
    events.add(connection, job_id, _next_key(connection, job_id, "paused"), "Fine-tuning job paused")


def resume(connection: sqlite3.Connection, job_id: str) -> Job:
    """`paused` → where it was; or the wish for a pause that has not come yet is taken back.

    Raises `BadRequest` when the job neither is paused nor is about to be.
    """
    job = get(connection, job_id)
    if job.status == "running" and job.wish == "pause":
        _move(connection, job_id, ("running",), {"wish": None})
        return get(connection, job_id)
    if job.status != "paused":
        raise BadRequest(f"Job cannot be resumed: {job_id} is {job.status}.", code="job_not_paused")
    validated = connection.execute(
        "SELECT 1 FROM events WHERE job_id = ? AND key = 'queued'", (job_id,)
    ).fetchone()
    _move(connection, job_id, ("paused",), {"status": "queued" if validated else "validating_files"})
    events.add(connection, job_id, _next_key(connection, job_id, "resumed"), "Fine-tuning job resumed")
    return get(connection, job_id)


def _next_key(connection: sqlite3.Connection, job_id: str, kind: str) -> str:
    """A key for a happening that may happen again."""
    count: int = connection.execute(
        "SELECT count(*) FROM events WHERE job_id = ? AND key LIKE ?", (job_id, f"{kind}:%")
    ).fetchone()[0]
    return f"{kind}:{count + 1}"


def requeue(connection: sqlite3.Connection) -> list[str]:
    """Put every job that was running when the server stopped back at the head of the queue."""
    rows = connection.execute("SELECT id FROM jobs WHERE status = 'running' ORDER BY seq").fetchall()
    ids: list[str] = [row["id"] for row in rows]
    for job_id in ids:
        _move(connection, job_id, ("running",), {"status": "queued", "estimated_finish": None})
        events.add(
            connection,
            job_id,
            _next_key(connection, job_id, "requeued"),
            "The server was restarted: the job is queued again and goes on from where it was saved last",
            level="warn",
        )
    return ids


def died(connection: sqlite3.Connection, job_id: str, limit: int) -> bool:
    """The job's process ended without writing how: queue the job again.

    False, and nothing done, when that is the `limit`th time without a step in between. Raises
    `NoLongerActive` when the job is not waiting for a process at all.
    """
    if get(connection, job_id).status not in ("queued", "running"):
        raise NoLongerActive(f"{job_id} has ended")
    deaths: int = connection.execute(
        "SELECT count(*) FROM events WHERE job_id = :id AND key LIKE 'died:%' AND seq >"
        " (SELECT coalesce(max(seq), 0) FROM events WHERE job_id = :id AND type = 'metrics')",
        {"id": job_id},
    ).fetchone()[0]
    if deaths + 1 >= limit:
        return False
    _move(connection, job_id, ("queued", "running"), {"status": "queued", "estimated_finish": None})
    events.add(
        connection,
        job_id,
        _next_key(connection, job_id, "died"),
        "The training process ended unexpectedly: the job is queued again and goes on from where it was"
        " saved last",
        level="warn",
    )
    return True

"""Fine-tuning jobs as they are written down: adding and finding them. What changes them is in `jobs`."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass, fields
from typing import Any

from trainserver import events
from trainserver.errors import NotFound
from trainserver.hyperparameters import Asked
from trainserver.paging import page


@dataclass(frozen=True, slots=True)
class Job:
    """One fine-tuning job. Times are unix seconds."""

    id: str
    created_at: int
    status: str
    model: str
    base: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int
    metadata: dict[str, str] | None
    hyperparameters: Asked
    project: str = "default"
    method: str = "supervised"
    integrations: list[dict[str, Any]] | None = None
    wish: str | None = None
    started_at: int | None = None
    finished_at: int | None = None
    estimated_finish: int | None = None
    trained_tokens: int | None = None
    fine_tuned_model: str | None = None
    result_file: str | None = None
    error: dict[str, str | None] | None = None


def _job(row: sqlite3.Row) -> Job:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(Job)}
    for key in ("metadata", "integrations", "error"):
        values[key] = None if values[key] is None else json.loads(values[key])
    values["hyperparameters"] = Asked(**json.loads(values["hyperparameters"]))
    return Job(**values)


def add(connection: sqlite3.Connection, job: Job) -> None:
    """Record a new job and its first two events."""
    connection.execute(
        "INSERT INTO jobs (id, created_at, status, model, base, training_file, validation_file, suffix, seed,"
        " metadata, hyperparameters, project, method, integrations)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.id,
            job.created_at,
            job.status,
            job.model,
            job.base,
            job.training_file,
            job.validation_file,
            job.suffix,
            job.seed,
            None if job.metadata is None else json.dumps(job.metadata),
            json.dumps(asdict(job.hyperparameters)),
            job.project,
            job.method,
            None if job.integrations is None else json.dumps(job.integrations),
        ),
    )
    events.add(connection, job.id, "created", f"Created fine-tuning job: {job.id}")
    files = f"Validating training file: {job.training_file}"
    if job.validation_file:
        files += f" and validation file: {job.validation_file}"
    events.add(connection, job.id, "validating", files)


def get(connection: sqlite3.Connection, job_id: str, project: str | None = None) -> Job:
    """The job; another project's is not found. Raises `NotFound`."""
    row = connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None or project not in (None, row["project"]):
        raise NotFound(
            f"Could not find fine tune: {job_id}", param="fine_tuning_job_id", code="fine_tune_not_found"
        )
    return _job(row)


def listed(
    connection: sqlite3.Connection,
    project: str,
    *,
    limit: int,
    after: str | None,
    metadata: dict[str, str] | None,
    without_metadata: bool = False,
) -> tuple[list[Job], bool]:
    """One page, newest first, of the jobs that carry all pairs of `metadata` (or none at all)."""
    where = "project = ?"
    values = [project]
    for key, value in (metadata or {}).items():
        where += " AND EXISTS (SELECT 1 FROM json_each(jobs.metadata) WHERE key = ? AND value = ?)"
        values += [key, value]
    if without_metadata:
        where += " AND coalesce(metadata, '{}') = '{}'"
    found = page(connection, "jobs", limit=limit, after=after, where=where, values=tuple(values))
    return [_job(row) for row in found.rows], found.has_more


def waiting(connection: sqlite3.Connection, status: str) -> list[Job]:
    """The jobs in `status`, the one that has waited longest first."""
    rows = connection.execute("SELECT * FROM jobs WHERE status = ? ORDER BY seq", (status,))
    return [_job(row) for row in rows]

"""Checkpoints and the fine-tuned names that answer."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, fields

from trainserver.ids import derived
from trainserver.paging import page


@dataclass(frozen=True, slots=True)
class Model:
    """A fine-tuned model; `folder` holds its adapter, relative to the data folder."""

    name: str
    base: str
    parent: str
    job_id: str
    created_at: int
    folder: str
    project: str = "default"
    held: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state at the end of one epoch, kept under a model name of its own."""

    id: str
    job_id: str
    created_at: int
    step: int
    model: str
    metrics: dict[str, float]


def _model(row: sqlite3.Row) -> Model:
    return Model(**{field.name: row[field.name] for field in fields(Model)})


def add(
    connection: sqlite3.Connection,
    name: str,
    base: str,
    parent: str,
    job_id: str,
    folder: str,
    *,
    project: str = "default",
    held: bool = False,
) -> None:
    """Let `name` answer with the adapter in `folder`; while it is held it answers nobody."""
    connection.execute(
        "INSERT OR IGNORE INTO models (name, base, parent, job_id, created_at, folder, project, held)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, base, parent, job_id, int(time.time()), folder, project, int(held)),
    )


def release(connection: sqlite3.Connection, name: str) -> bool:
    """Let a held model answer, with the checkpoints of its job; False when there is no such model."""
    done = connection.execute(
        "UPDATE models SET held = 0 WHERE job_id = (SELECT job_id FROM models WHERE name = ?)", (name,)
    )
    return done.rowcount > 0


# A project sees its own models and the checkpoints that it was permitted.
VISIBLE = "(project = :p OR EXISTS (SELECT 1 FROM permissions WHERE model = models.name AND project = :p))"


def find(connection: sqlite3.Connection, name: str, project: str | None = None) -> Model | None:
    """The fine-tuned model of that name as far as `project` sees it (None: everybody's), or None."""
    seen = "1" if project is None else VISIBLE
    values = {"name": name, "p": project}
    row = connection.execute(f"SELECT * FROM models WHERE name = :name AND {seen}", values).fetchone()
    return None if row is None else _model(row)


def everything(connection: sqlite3.Connection, project: str) -> list[Model]:
    """All fine-tuned models that a project sees, oldest first."""
    rows = connection.execute(f"SELECT * FROM models WHERE {VISIBLE} ORDER BY seq", {"p": project})
    return [_model(row) for row in rows]


def remove(connection: sqlite3.Connection, name: str) -> None:
    """Let `name` answer no more; the caller removes its folder."""
    connection.execute("DELETE FROM models WHERE name = ?", (name,))
    connection.execute("DELETE FROM permissions WHERE model = ?", (name,))


def add_checkpoint(
    connection: sqlite3.Connection, job_id: str, step: int, model: str, metrics: dict[str, float]
) -> None:
    """Record a checkpoint, once for each step of a job."""
    connection.execute(
        "INSERT OR IGNORE INTO checkpoints (id, job_id, created_at, step, model, metrics)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            f"ftckpt_{derived(f'checkpoint {job_id}/{step}', 24)}",
            job_id,
            int(time.time()),
            step,
            model,
            json.dumps(metrics),
        ),
    )


def checkpoints(
    connection: sqlite3.Connection, job_id: str, *, limit: int, after: str | None
) -> tuple[list[Checkpoint], bool]:
    """One page of a job's checkpoints, newest first."""
    found = page(connection, "checkpoints", limit=limit, after=after, where="job_id = ?", values=(job_id,))
    return [
        Checkpoint(
            row["id"], row["job_id"], row["created_at"], row["step"], row["model"], json.loads(row["metrics"])
        )
        for row in found.rows
    ], found.has_more


def measure(connection: sqlite3.Connection, base: str, tokens: int, seconds: float, peak_bytes: int) -> None:
    """Remember what a finished training cost."""
    connection.execute(
        "INSERT INTO measurements (base, tokens, seconds, peak_bytes) VALUES (?, ?, ?, ?)",
        (base, tokens, seconds, peak_bytes),
    )


def measured(connection: sqlite3.Connection, base: str) -> tuple[float, int] | None:
    """Seconds per 1,000 tokens and peak bytes over the last five trainings of `base`, or None."""
    row = connection.execute(
        "SELECT sum(seconds) * 1000 / sum(tokens) AS pace, max(peak_bytes) AS peak FROM"
        " (SELECT * FROM measurements WHERE base = ? ORDER BY seq DESC LIMIT 5)",
        (base,),
    ).fetchone()
    return None if row["pace"] is None else (float(row["pace"]), int(row["peak"]))

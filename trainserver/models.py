"""Checkpoints and the fine-tuned names that answer."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

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
    return Model(row["name"], row["base"], row["parent"], row["job_id"], row["created_at"], row["folder"])


def add(connection: sqlite3.Connection, name: str, base: str, parent: str, job_id: str, folder: str) -> None:
    """Let `name` answer with the adapter in `folder`."""
    connection.execute(
        "INSERT OR IGNORE INTO models (name, base, parent, job_id, created_at, folder)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (name, base, parent, job_id, int(time.time()), folder),
    )


def find(connection: sqlite3.Connection, name: str) -> Model | None:
    """The fine-tuned model of that name, or None."""
    row = connection.execute("SELECT * FROM models WHERE name = ?", (name,)).fetchone()
    return None if row is None else _model(row)


def everything(connection: sqlite3.Connection) -> list[Model]:
    """All fine-tuned models, oldest first."""
    return [_model(row) for row in connection.execute("SELECT * FROM models ORDER BY seq")]


def remove(connection: sqlite3.Connection, name: str) -> None:
    """Let `name` answer no more; the caller removes its folder."""
    connection.execute("DELETE FROM models WHERE name = ?", (name,))


def add_checkpoint(
    connection: sqlite3.Connection, job_id: str, step: int, model: str, metrics: dict[str, float]
) -> None:
    """Record a checkpoint, once for each step of a job."""
    connection.execute(
        "INSERT OR IGNORE INTO checkpoints (id, job_id, created_at, step, model, metrics)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            f"ftckpt-{derived(f'checkpoint {job_id}/{step}', 24)}",
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

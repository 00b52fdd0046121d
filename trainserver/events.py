"""What happened to a job, in order. A key per happening keeps a resumed job from telling it twice."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Literal

from trainserver.ids import new_id
from trainserver.paging import page

Level = Literal["info", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `type` is `message`, `metrics` or `moderation_checks`."""

    id: str
    job_id: str
    created_at: int
    level: str
    type: str
    message: str
    data: dict[str, Any] | None


def add(
    connection: sqlite3.Connection,
    job_id: str,
    key: str,
    message: str,
    *,
    level: Level = "info",
    type: str = "message",
    data: dict[str, Any] | None = None,
) -> None:
    """Write an event, once for each `key` of a job."""
    connection.execute(
        "INSERT OR IGNORE INTO events (id, job_id, created_at, level, type, message, data, key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new_id("ftevent"),
            job_id,
            int(time.time()),
            level,
            type,
            message,
            None if data is None else json.dumps(data),
            key,
        ),
    )


def listed(
    connection: sqlite3.Connection, job_id: str, *, limit: int, after: str | None
) -> tuple[list[Event], bool]:
    """One page, newest first; `after` walks to older events."""
    found = page(connection, "events", limit=limit, after=after, where="job_id = ?", values=(job_id,))
    return [
        Event(
            row["id"],
            row["job_id"],
            row["created_at"],
            row["level"],
            row["type"],
            row["message"],
            None if row["data"] is None else json.loads(row["data"]),
        )
        for row in found.rows
    ], found.has_more


def metrics(connection: sqlite3.Connection, job_id: str) -> list[dict[str, Any]]:
    """The data of all steps of a job, in their order."""
    rows = connection.execute(
        "SELECT data FROM events WHERE job_id = ? AND type = 'metrics' ORDER BY seq", (job_id,)
    )
    return [json.loads(row["data"]) for row in rows]

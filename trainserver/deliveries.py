"""What webhooks still have to tell. A row is written with the end of its job, so that no crash loses it."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from trainserver.ids import new_id

WAITS = (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)
"""Seconds until the next try, by how many have failed; after the last the delivery is given up."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way; `id` stays the same at each try, so that a receiver can tell doubles."""

    id: str
    type: str
    job_id: str
    project: str
    created_at: int
    tries: int


def add(connection: sqlite3.Connection, type: str, job_id: str) -> None:
    """Something happened to a job that webhooks tell."""
    now = int(time.time())
    connection.execute(
        "INSERT INTO deliveries (id, type, job_id, created_at, next_at) VALUES (?, ?, ?, ?, ?)",
        (new_id("evt", "_"), type, job_id, now, now),
    )


def due(connection: sqlite3.Connection, now: float) -> list[Delivery]:
    """What is to be sent now, oldest first."""
    rows = connection.execute(
        "SELECT deliveries.id, type, job_id, project, deliveries.created_at, tries FROM deliveries"
        " JOIN jobs ON jobs.id = job_id WHERE next_at <= ? ORDER BY deliveries.seq LIMIT 20",
        (int(now),),
    )
    return [Delivery(**dict(row)) for row in rows]


def done(connection: sqlite3.Connection, delivery_id: str) -> None:
    """It was delivered, or nobody wants it."""
    connection.execute("DELETE FROM deliveries WHERE id = ?", (delivery_id,))


def failed(connection: sqlite3.Connection, delivery: Delivery, now: float) -> bool:
    """A try failed; False when it was the last."""
    if delivery.tries >= len(WAITS):
        done(connection, delivery.id)
        return False
    connection.execute(
        "UPDATE deliveries SET tries = tries + 1, next_at = ? WHERE id = ?",
        (int(now) + WAITS[delivery.tries], delivery.id),
    )
    return True

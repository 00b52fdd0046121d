"""Stored answers of /v1/responses: what a later call may go on from, kept for 30 days."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

from trainserver.errors import NotFound

LIFE_SECONDS = 30 * 24 * 3600


def add(
    connection: sqlite3.Connection, project: str, answer: dict[str, Any], messages: list[dict[str, Any]]
) -> None:
    """Keep an answer with the conversation up to and with it, in chat form, without instructions."""
    connection.execute(
        "INSERT INTO responses (id, project, created_at, answer, messages) VALUES (?, ?, ?, ?, ?)",
        (answer["id"], project, int(time.time()), json.dumps(answer), json.dumps(messages)),
    )


def get(
    connection: sqlite3.Connection, response_id: str, project: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The answer and its conversation. Raises `NotFound`."""
    row = connection.execute(
        "SELECT answer, messages FROM responses WHERE id = ? AND project = ?", (response_id, project)
    ).fetchone()
    if row is None:
        raise NotFound(f"Response with id '{response_id}' not found.", param="response_id")
    return json.loads(row["answer"]), json.loads(row["messages"])


def remove(connection: sqlite3.Connection, response_id: str) -> None:
    """Forget the answer."""
    connection.execute("DELETE FROM responses WHERE id = ?", (response_id,))


def forget_old(connection: sqlite3.Connection) -> None:
    """Forget what is older than 30 days."""
    connection.execute("DELETE FROM responses WHERE created_at < ?", (int(time.time()) - LIFE_SECONDS,))

"""Uploaded files and results: a row each, the bytes in `DIR/files/ID`."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from trainserver.errors import NotFound
from trainserver.paging import page


@dataclass(frozen=True, slots=True)
class File:
    """One stored file."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str


def _file(row: sqlite3.Row) -> File:
    return File(row["id"], row["bytes"], row["created_at"], row["filename"], row["purpose"])


def add(connection: sqlite3.Connection, file_id: str, size: int, filename: str, purpose: str) -> File:
    """Record a file whose bytes already lie in their place."""
    record = File(file_id, size, int(time.time()), filename, purpose)
    connection.execute(
        "INSERT INTO files (id, bytes, created_at, filename, purpose) VALUES (?, ?, ?, ?, ?)",
        (record.id, record.bytes, record.created_at, record.filename, record.purpose),
    )
    return record


def find(connection: sqlite3.Connection, file_id: str) -> File | None:
    """The file, or None."""
    row = connection.execute("SELECT * FROM files WHERE id = ?", (file_id,)).fetchone()
    return None if row is None else _file(row)


def get(connection: sqlite3.Connection, file_id: str) -> File:
    """The file. Raises `NotFound`."""
    record = find(connection, file_id)
    if record is None:
        raise NotFound(f"No such File object: {file_id}", param="id")
    return record


def listed(
    connection: sqlite3.Connection, *, purpose: str | None, limit: int, after: str | None, newest_first: bool
) -> tuple[list[File], bool]:
    """One page of files and whether more follow."""
    where, values = ("purpose = ?", (purpose,)) if purpose else ("1", ())
    found = page(
        connection, "files", limit=limit, after=after, where=where, values=values, newest_first=newest_first
    )
    return [_file(row) for row in found.rows], found.has_more


def remove(connection: sqlite3.Connection, file_id: str) -> None:
    """Forget the file; the caller removes its bytes."""
    connection.execute("DELETE FROM files WHERE id = ?", (file_id,))

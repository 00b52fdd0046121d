"""Uploaded files and results: a row each, the bytes in `DIR/files/ID`."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, fields

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
    project: str = "default"
    expires_at: int | None = None


def _file(row: sqlite3.Row) -> File:
    return File(**{field.name: row[field.name] for field in fields(File)})


# A file is gone the moment it expires, also when its bytes are not swept away yet.
ALIVE = "(expires_at IS NULL OR expires_at > CAST(strftime('%s', 'now') AS INTEGER))"


def add(
    connection: sqlite3.Connection,
    file_id: str,
    size: int,
    filename: str,
    purpose: str,
    *,
    project: str = "default",
    expires_after: int | None = None,
) -> File:
    """Record a file whose bytes already lie in their place; it expires after so many seconds, if any."""
    now = int(time.time())
    expires_at = None if expires_after is None else now + expires_after
    record = File(file_id, size, now, filename, purpose, project, expires_at)
    connection.execute(
        "INSERT INTO files (id, bytes, created_at, filename, purpose, project, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (record.id, size, now, filename, purpose, project, expires_at),
    )
    return record


def find(connection: sqlite3.Connection, file_id: str, project: str) -> File | None:
    """The project's file of that id, or None."""
    row = connection.execute(
        f"SELECT * FROM files WHERE id = ? AND project = ? AND {ALIVE}", (file_id, project)
    ).fetchone()
    return None if row is None else _file(row)


def get(connection: sqlite3.Connection, file_id: str, project: str) -> File:
    """The file. Raises `NotFound`."""
    record = find(connection, file_id, project)
    if record is None:
        raise NotFound(f"No such File object: {file_id}", param="id")
    return record


def listed(
    connection: sqlite3.Connection,
    project: str,
    *,
    purpose: str | None,
    limit: int,
    after: str | None,
    newest_first: bool,
) -> tuple[list[File], bool]:
    """One page of a project's files and whether more follow."""
    where, values = f"project = ? AND {ALIVE}", (project,)
    if purpose:
        where, values = f"{where} AND purpose = ?", (project, purpose)
    found = page(
        connection, "files", limit=limit, after=after, where=where, values=values, newest_first=newest_first
    )
    return [_file(row) for row in found.rows], found.has_more


def expired(connection: sqlite3.Connection) -> list[str]:
    """Ids of the files whose bytes can go: their time is over and no job still needs them."""
    needed = "SELECT 1 FROM jobs WHERE finished_at IS NULL AND files.id IN (training_file, validation_file)"
    rows = connection.execute(f"SELECT id FROM files WHERE NOT {ALIVE} AND NOT EXISTS ({needed})")
    return [row["id"] for row in rows]


def remove(connection: sqlite3.Connection, file_id: str) -> None:
    """Forget the file; the caller removes its bytes."""
    connection.execute("DELETE FROM files WHERE id = ?", (file_id,))

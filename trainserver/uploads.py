"""Uploads: a large file in parts, which lie in `DIR/uploads/ID/` until they are put together."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass, fields

from trainserver.errors import BadRequest, NotFound
from trainserver.ids import new_id

LIFE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload; `status` is pending, completed or cancelled, and `state` knows about expiry too."""

    id: str
    project: str
    created_at: int
    expires_at: int
    filename: str
    bytes: int
    purpose: str
    status: str
    file_expires_after: int | None
    file_id: str | None

    @property
    def state(self) -> str:
        """The status as clients see it."""
        return "expired" if self.status == "pending" and self.expires_at <= time.time() else self.status


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an upload."""

    id: str
    upload_id: str
    created_at: int
    bytes: int


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(**{field.name: row[field.name] for field in fields(Upload)})


def add(
    connection: sqlite3.Connection,
    project: str,
    *,
    filename: str,
    size: int,
    purpose: str,
    expires_after: int | None,
) -> Upload:
    """Begin an upload of `size` bytes; it can be filled for an hour."""
    upload_id, now = new_id("upload", "_"), int(time.time())
    connection.execute(
        "INSERT INTO uploads (id, project, created_at, expires_at, filename, bytes, purpose, status,"
        " file_expires_after) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
        (upload_id, project, now, now + LIFE_SECONDS, filename, size, purpose, expires_after),
    )
    return get(connection, upload_id, project)


def get(connection: sqlite3.Connection, upload_id: str, project: str) -> Upload:
    """The upload. Raises `NotFound`."""
    row = connection.execute(
        "SELECT * FROM uploads WHERE id = ? AND project = ?", (upload_id, project)
    ).fetchone()
    if row is None:
        raise NotFound(f"No such Upload object: {upload_id}", param="upload_id")
    return _upload(row)


def pending(connection: sqlite3.Connection, upload_id: str, project: str) -> Upload:
    """The upload if it still takes parts. Raises `NotFound` and `BadRequest`."""
    upload = get(connection, upload_id, project)
    if upload.state != "pending":
        raise BadRequest(
            f"Upload {upload_id} is {upload.state}.", param="upload_id", code="upload_not_pending"
        )
    return upload


def add_part(connection: sqlite3.Connection, upload_id: str, part_id: str, size: int) -> Part:
    """Record a part whose bytes already lie in their place."""
    part = Part(part_id, upload_id, int(time.time()), size)
    connection.execute(
        "INSERT INTO upload_parts (id, upload_id, created_at, bytes) VALUES (?, ?, ?, ?)",
        (part.id, part.upload_id, part.created_at, part.bytes),
    )
    return part


def held(connection: sqlite3.Connection, upload_id: str) -> int:
    """Bytes of all parts so far."""
    row = connection.execute("SELECT sum(bytes) FROM upload_parts WHERE upload_id = ?", (upload_id,))
    return row.fetchone()[0] or 0


def chosen(connection: sqlite3.Connection, upload: Upload, part_ids: list[str]) -> list[Part]:
    """The named parts in that order. Raises `BadRequest` when they are not what was announced."""
    rows = connection.execute("SELECT * FROM upload_parts WHERE upload_id = ?", (upload.id,))
    known = {row["id"]: Part(**dict(row)) for row in rows}
    unknown = [part_id for part_id in part_ids if part_id not in known]
    if unknown or len(set(part_ids)) < len(part_ids):
        reason = f"has no part {unknown[0]}" if unknown else "has each part once"
        raise BadRequest(f"Upload {upload.id} {reason}.", param="part_ids", code="invalid_part_ids")
    parts = [known[part_id] for part_id in part_ids]
    size = sum(part.bytes for part in parts)
    if size != upload.bytes:
        raise BadRequest(
            f"The parts have {size} bytes, but the upload was created for {upload.bytes}.",
            param="part_ids",
            code="bytes_mismatch",
        )
    return parts


def end(connection: sqlite3.Connection, upload_id: str, status: str, file_id: str | None = None) -> bool:
    """`pending` → `completed` or `cancelled`; False when somebody else was first."""
    done = connection.execute(
        "UPDATE uploads SET status = ?, file_id = ? WHERE id = ? AND status = 'pending'",
        (status, file_id, upload_id),
    )
    connection.execute("DELETE FROM upload_parts WHERE upload_id = ?", (upload_id,))
    return done.rowcount == 1


def ended(connection: sqlite3.Connection) -> list[str]:
    """Ids of the uploads that take no parts any more."""
    rows = connection.execute("SELECT * FROM uploads ORDER BY seq DESC LIMIT 1000")
    return [upload.id for upload in map(_upload, rows) if upload.state != "pending"]

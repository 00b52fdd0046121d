"""Which projects may ask a checkpoint that another project trained."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from trainserver.errors import NotFound
from trainserver.ids import new_id
from trainserver.paging import page


@dataclass(frozen=True, slots=True)
class Permission:
    """One project's leave to use one model name."""

    id: str
    model: str
    project: str
    created_at: int


def _permission(row: sqlite3.Row) -> Permission:
    return Permission(row["id"], row["model"], row["project"], row["created_at"])


def grant(connection: sqlite3.Connection, model: str, project: str) -> Permission:
    """Let `project` use `model`; a second time gives the first permission again."""
    connection.execute(
        "INSERT OR IGNORE INTO permissions (id, model, project, created_at) VALUES (?, ?, ?, ?)",
        (new_id("cp", "_"), model, project, int(time.time())),
    )
    row = connection.execute(
        "SELECT * FROM permissions WHERE model = ? AND project = ?", (model, project)
    ).fetchone()
    return _permission(row)


def listed(
    connection: sqlite3.Connection,
    model: str,
    *,
    project: str | None,
    limit: int,
    after: str | None,
    newest_first: bool,
) -> tuple[list[Permission], bool]:
    """One page of a model's permissions, all or those of one project."""
    where, values = "model = ?", (model,)
    if project is not None:
        where, values = "model = ? AND project = ?", (model, project)
    found = page(
        connection,
        "permissions",
        limit=limit,
        after=after,
        where=where,
        values=values,
        newest_first=newest_first,
    )
    return [_permission(row) for row in found.rows], found.has_more


def revoke(connection: sqlite3.Connection, model: str, permission_id: str) -> None:
    """Take a permission back. Raises `NotFound`."""
    done = connection.execute("DELETE FROM permissions WHERE id = ? AND model = ?", (permission_id, model))
    if done.rowcount == 0:
        raise NotFound(f"No such permission: {permission_id}", param="permission_id")

"""API keys: each belongs to a project, and is stored as a hash only.

A key is 48 random characters, so a plain SHA-256 cannot be turned back by guessing.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

from trainserver.errors import NotFound
from trainserver.ids import new_id

Scope = Literal["all", "inference", "admin"]
DEFAULT_PROJECT = "default"


@dataclass(frozen=True, slots=True)
class Access:
    """What a request may do: everything in `project`, answers only, or also sharing between projects."""

    project: str
    scope: Scope


OWNER = Access(DEFAULT_PROJECT, "admin")
"""Who starts the server, and who asks one without keys on its own machine."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed; the key itself was shown once."""

    id: str
    project: str
    scope: str
    created_at: int
    revoked_at: int | None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def issue(connection: sqlite3.Connection, project: str, scope: Scope) -> tuple[str, str]:
    """A new key: its id and the key itself."""
    key_id, key = new_id("key"), f"sk-{secrets.token_urlsafe(36)}"
    connection.execute(
        "INSERT INTO keys (id, hash, project, scope, created_at) VALUES (?, ?, ?, ?, ?)",
        (key_id, _hash(key), project, scope, int(time.time())),
    )
    return key_id, key


def find(connection: sqlite3.Connection, key: str) -> Access | None:
    """What the key opens, or None when it is unknown or was revoked."""
    row = connection.execute(
        "SELECT project, scope FROM keys WHERE hash = ? AND revoked_at IS NULL", (_hash(key),)
    ).fetchone()
    return None if row is None else Access(row["project"], row["scope"])


def exist(connection: sqlite3.Connection) -> bool:
    """Whether any key was ever issued; from then on none gets in without one."""
    return connection.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None


def listed(connection: sqlite3.Connection) -> list[Key]:
    """All keys, oldest first."""
    rows = connection.execute("SELECT * FROM keys ORDER BY created_at, id")
    return [
        Key(row["id"], row["project"], row["scope"], row["created_at"], row["revoked_at"]) for row in rows
    ]


def revoke(connection: sqlite3.Connection, key_id: str) -> None:
    """Let the key open nothing from now on. Raises `NotFound`."""
    done = connection.execute(
        "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (int(time.time()), key_id)
    )
    if done.rowcount == 0:
        raise NotFound(f"There is no key {key_id} in force.")

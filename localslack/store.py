"""The workspace on disk: one SQLite database with write-ahead log. Every method is one short transaction."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from localslack.records import JSON, Channel, File, Message, Share, Stream, User, View

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS channels (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS members (channel TEXT, user TEXT, PRIMARY KEY (channel, user));
CREATE TABLE IF NOT EXISTS messages (
    channel TEXT, ts TEXT, root TEXT, ephemeral_to TEXT, body TEXT NOT NULL, PRIMARY KEY (channel, ts));
CREATE INDEX IF NOT EXISTS messages_by_root ON messages (channel, root, ts);
CREATE TABLE IF NOT EXISTS reactions (
    channel TEXT, ts TEXT, name TEXT, user TEXT, n INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (channel, ts, name, user));
CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS homes (user TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reads (user TEXT, channel TEXT, ts TEXT, PRIMARY KEY (user, channel));
"""


def _message(body: str) -> Message:
    data: JSON = json.loads(body)
    if data["stream"] is not None:
        data["stream"] = Stream(**data["stream"])
    return Message(**data)


def _file(body: str) -> File:
    data: JSON = json.loads(body)
    data["shares"] = [Share(**share) for share in data["shares"]]
    return File(**data)


class Store:
    """Everything that outlives the process. Safe to call from several threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _run(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    # ------------------------------------------------------------------ meta

    def meta(self, key: str) -> str | None:
        rows = self._run("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> None:
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    # ------------------------------------------------------- users, channels

    def save_user(self, user: User) -> None:
        self._run(
            "INSERT INTO users VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            user.id,
            json.dumps(asdict(user)),
        )

    def users(self) -> list[User]:
        return [User(**json.loads(body)) for (body,) in self._run("SELECT body FROM users ORDER BY rowid")]

    def save_channel(self, channel: Channel) -> None:
        self._run(
            "INSERT INTO channels VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            channel.id,
            json.dumps(asdict(channel)),
        )

    def channels(self) -> list[Channel]:
        return [
            Channel(**json.loads(body)) for (body,) in self._run("SELECT body FROM channels ORDER BY rowid")
        ]

    def channel(self, channel_id: str) -> Channel | None:
        rows = self._run("SELECT body FROM channels WHERE id = ?", channel_id)
        return Channel(**json.loads(rows[0][0])) if rows else None

    def members(self, channel_id: str) -> list[str]:
        return [
            row[0]
            for row in self._run("SELECT user FROM members WHERE channel = ? ORDER BY rowid", channel_id)
        ]

    def add_member(self, channel_id: str, user_id: str) -> None:
        self._run("INSERT OR IGNORE INTO members VALUES (?, ?)", channel_id, user_id)

    def remove_member(self, channel_id: str, user_id: str) -> None:
        self._run("DELETE FROM members WHERE channel = ? AND user = ?", channel_id, user_id)

    # -------------------------------------------------------------- messages

    def save_message(self, message: Message) -> None:
        root = message.thread_ts if message.is_reply else message.ts
        self._run(
            "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?)",
            message.channel,
            message.ts,
            root,
            message.ephemeral_to,
            json.dumps(asdict(message)),
        )

    def message(self, channel_id: str, ts: str) -> Message | None:
        rows = self._run("SELECT body FROM messages WHERE channel = ? AND ts = ?", channel_id, ts)
        return _message(rows[0][0]) if rows else None

    def remove_message(self, channel_id: str, ts: str) -> None:
        self._run("DELETE FROM messages WHERE channel = ? AND ts = ?", channel_id, ts)
        self._run("DELETE FROM reactions WHERE channel = ? AND ts = ?", channel_id, ts)

    def timeline(
        self, channel_id: str, before: str, after: str, limit: int, viewer: str | None = None
    ) -> list[Message]:
        """Roots and broadcasts with ``after < ts < before``, newest first; ephemerals of ``viewer`` only."""
        rows = self._run(
            "SELECT body FROM messages WHERE channel = ? AND ts < ? AND ts > ?"
            " AND (root = ts OR json_extract(body, '$.broadcast'))"
            " AND (ephemeral_to IS NULL OR ephemeral_to = ?)"
            " ORDER BY ts DESC LIMIT ?",
            channel_id,
            before,
            after,
            viewer,
            limit,
        )
        return [_message(body) for (body,) in rows]

    def thread(self, channel_id: str, root: str, viewer: str | None = None) -> list[Message]:
        """The root and its replies, oldest first; ephemerals of ``viewer`` only."""
        rows = self._run(
            "SELECT body FROM messages WHERE channel = ? AND root = ?"
            " AND (ephemeral_to IS NULL OR ephemeral_to = ?) ORDER BY ts",
            channel_id,
            root,
            viewer,
        )
        return [_message(body) for (body,) in rows]

    def unread(self, user_id: str, channel_id: str) -> int:
        rows = self._run("SELECT ts FROM reads WHERE user = ? AND channel = ?", user_id, channel_id)
        since = rows[0][0] if rows else "0"
        count = self._run(
            "SELECT count(*) FROM messages"
            " WHERE channel = ? AND root = ts AND ts > ? AND ephemeral_to IS NULL",
            channel_id,
            since,
        )
        return int(count[0][0])

    def mark_read(self, user_id: str, channel_id: str, ts: str) -> None:
        self._run("INSERT OR REPLACE INTO reads VALUES (?, ?, ?)", user_id, channel_id, ts)

    # ------------------------------------------------------------- reactions

    def reactions(self, channel_id: str, ts: str) -> list[JSON]:
        """``[{name, users, count}]`` in the order in which each name was first used."""
        found: dict[str, list[str]] = {}
        for name, user in self._run(
            "SELECT name, user FROM reactions WHERE channel = ? AND ts = ? ORDER BY n", channel_id, ts
        ):
            found.setdefault(name, []).append(user)
        return [{"name": name, "users": users, "count": len(users)} for name, users in found.items()]

    def add_reaction(self, channel_id: str, ts: str, name: str, user_id: str) -> None:
        self._run(
            "INSERT INTO reactions (channel, ts, name, user) VALUES (?, ?, ?, ?)",
            channel_id,
            ts,
            name,
            user_id,
        )

    def remove_reaction(self, channel_id: str, ts: str, name: str, user_id: str) -> None:
        self._run(
            "DELETE FROM reactions WHERE channel = ? AND ts = ? AND name = ? AND user = ?",
            channel_id,
            ts,
            name,
            user_id,
        )

    # ----------------------------------------------------------- files, home

    def save_file(self, file: File) -> None:
        self._run("INSERT OR REPLACE INTO files VALUES (?, ?)", file.id, json.dumps(asdict(file)))

    def file(self, file_id: str) -> File | None:
        rows = self._run("SELECT body FROM files WHERE id = ?", file_id)
        return _file(rows[0][0]) if rows else None

    def files(self) -> Iterable[File]:
        return [_file(body) for (body,) in self._run("SELECT body FROM files ORDER BY rowid")]

    def home(self, user_id: str) -> View | None:
        rows = self._run("SELECT body FROM homes WHERE user = ?", user_id)
        return View(**json.loads(rows[0][0])) if rows else None

    def save_home(self, view: View) -> None:
        self._run("INSERT OR REPLACE INTO homes VALUES (?, ?)", view.user, json.dumps(asdict(view)))

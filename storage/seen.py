"""How far each channel was read: the newest message that arrived from it, and nothing of what it said."""

from __future__ import annotations

from collections.abc import Mapping

from sqlite_utils import Database

from storage.rows import pairs, run


def all_of(db: Database) -> dict[str, str]:
    """The newest message's ``ts`` by channel."""
    return {str(channel): str(ts) for channel, ts in pairs(db, "SELECT channel, ts FROM channels_seen")}


def keep(db: Database, newest: Mapping[str, str]) -> None:
    """Keeps how far these channels were read."""
    for channel, ts in newest.items():
        run(db, "INSERT OR REPLACE INTO channels_seen (channel, ts) VALUES (?, ?)", [channel, ts])


def forget(db: Database, channel: str) -> None:
    """The channel is gone, or the bot is no longer in it."""
    run(db, "DELETE FROM channels_seen WHERE channel = ?", [channel])

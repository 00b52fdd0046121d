"""What belongs to a channel or a month: settings, votes on answers, tokens of chats."""

from __future__ import annotations

from sqlite_utils import Database

from storage.chat_records import ChannelSettings, ChatUsage, Vote
from storage.rows import first, pairs, run, scalar, select, to_row


def settings_of(db: Database, channel: str) -> ChannelSettings:
    """The settings of a channel; the usual ones where nothing was chosen."""
    found = first(db, ChannelSettings, "SELECT * FROM channel_settings WHERE channel = ?", [channel])
    return found or ChannelSettings(channel)


def choose(db: Database, chosen: ChannelSettings) -> None:
    """Sets the settings of a channel."""
    _replace(db, "channel_settings", chosen)


def vote(db: Database, said: Vote) -> None:
    """Keeps a vote; a second one of the same person takes the place of the first."""
    _replace(db, "votes", said)


def votes_on(db: Database, channel: str, ts: str) -> list[Vote]:
    """All votes on one answer."""
    return select(db, Vote, "SELECT * FROM votes WHERE channel = ? AND ts = ? ORDER BY at", [channel, ts])


def votes_for(db: Database, provider: str, model: str) -> tuple[int, int]:
    """How many answers of a model were found good, and how many bad."""
    found = pairs(
        db,
        "SELECT votes.value, count(*) FROM votes"
        " JOIN turns ON turns.channel = votes.channel AND turns.ts = votes.ts"
        " JOIN chat_threads AS talk ON talk.channel = turns.channel AND talk.thread = turns.thread"
        " WHERE talk.provider = ? AND talk.model = ? GROUP BY votes.value",
        [provider, model],
    )
    counted = {str(value): int(count) for value, count in found}
    return counted.get("good", 0), counted.get("bad", 0)


def spent(db: Database, month: str, provider: str, tokens: int) -> None:
    """Adds one answer of ``tokens`` to a month."""
    run(
        db,
        "INSERT INTO chat_usage (month, provider, answers, tokens) VALUES (?, ?, 1, ?)"
        " ON CONFLICT (month, provider) DO UPDATE"
        " SET answers = answers + 1, tokens = tokens + excluded.tokens",
        [month, provider, tokens],
    )


def usage_in(db: Database, month: str) -> list[ChatUsage]:
    """The chats of a month by provider."""
    return select(db, ChatUsage, "SELECT * FROM chat_usage WHERE month = ? ORDER BY provider", [month])


def tokens_in(db: Database, month: str) -> int:
    """Tokens written for chats in a month, at all providers."""
    return int(scalar(db, "SELECT sum(tokens) FROM chat_usage WHERE month = ?", [month]) or 0)


def _replace(db: Database, table: str, record: object) -> None:
    row = to_row(record)
    marks = ", ".join("?" for _ in row)
    run(db, f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

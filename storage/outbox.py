"""The outbox: notices that must arrive once and in order, and cards that are edited to the current truth."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from storage.records import Card, Notice
from storage.rows import first, insert, run, scalar, select, update

FARTHEST = 900.0
"""Seconds: nothing is put off for longer; a time beyond was written by a clock that was wrong."""


def add(db: Database, notice: Notice, card: Card | None = None) -> None:
    """Puts a notice out (``seq`` is given here; a known ``id`` changes nothing); it becomes ``card``."""
    insert(db, "outbox", notice, drop=("seq",), ignore=True)
    if card is not None:
        insert(db, "cards", card, ignore=True)


def due(db: Database, now: float) -> list[Notice]:
    """The head of every thread that may be sent now, in order of arrival.

    Only the oldest unsent notice of a place (channel, thread) is answered, so order holds within a thread; a
    notice that waits for its card to be posted is left out until the card has a message, or was given up.
    """
    return select(
        db,
        Notice,
        """
        SELECT o.* FROM outbox o LEFT JOIN cards c ON c.key = o.thread_of
        WHERE o.seq IN (SELECT min(seq) FROM outbox WHERE state IN ('due', 'sending')
                        GROUP BY channel, coalesce(thread_of, thread, ''))
          AND (o.due_at <= ? OR o.due_at > ?)
          AND (o.thread_of IS NULL OR c.ts IS NOT NULL
               OR EXISTS (SELECT 1 FROM outbox d WHERE d.state = 'dead' AND d.card = o.thread_of))
        ORDER BY o.seq
        """,
        [now, now + FARTHEST],
    )


def behind(db: Database, head: Notice, now: float, *, limit: int) -> list[Notice]:
    """What waits right behind a notice in its thread and may be sent with it, in order.

    Only replies: a card keeps its message, and so does what stands in the channel itself.
    """
    if head.card is not None or (head.thread is None and head.thread_of is None):
        return []
    waiting = select(
        db,
        Notice,
        "SELECT * FROM outbox WHERE state IN ('due', 'sending') AND channel = ? AND seq > ?"
        " AND coalesce(thread_of, thread, '') = ? ORDER BY seq LIMIT ?",
        [head.channel, head.seq, head.thread_of or head.thread, limit],
    )
    found: list[Notice] = []
    for notice in waiting:
        if notice.card is not None or notice.due_at > now:
            break
        found.append(notice)
    return found


def next_due_at(db: Database) -> float | None:
    """When the earliest waiting notice may be tried, or ``None``."""
    value = scalar(db, "SELECT min(due_at) FROM outbox WHERE state IN ('due', 'sending')")
    return None if value is None else float(value)


def sending(db: Database, notice_id: str) -> None:
    """Notes that a try begins: from here on a crash leaves it unknown whether the message was posted."""
    run(db, "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?", [notice_id])


def sent(db: Database, notice: Notice, ts: str) -> None:
    """Notes where a notice stands; if it is a card, the card has its message from now on."""
    update(db, "outbox", {"id": notice.id}, {"state": "sent", "ts": ts, "error": None})
    if notice.card is not None:
        run(db, "UPDATE cards SET ts = ? WHERE key = ?", [ts, notice.card])


def later(db: Database, notice_id: str, due_at: float, error: str, *, untouched: bool) -> None:
    """Tries a notice again at ``due_at``; ``untouched``: it is certain that nothing was posted."""
    update(
        db,
        "outbox",
        {"id": notice_id},
        {"state": "due" if untouched else "sending", "due_at": due_at, "error": error},
    )


def dead(db: Database, notice_id: str, error: str) -> None:
    """Gives a notice up (its channel is gone, say); it stays on record."""
    update(db, "outbox", {"id": notice_id}, {"state": "dead", "error": error})


def get(db: Database, notice_id: str) -> Notice | None:
    """One notice."""
    return first(db, Notice, "SELECT * FROM outbox WHERE id = ?", [notice_id])


def of_kind(db: Database, kind: str) -> list[Notice]:
    """All notices of a kind in order."""
    return select(db, Notice, "SELECT * FROM outbox WHERE kind = ? ORDER BY seq", [kind])


def job_at(db: Database, channel: str, ts: str, root: str) -> int | None:
    """The job whose card or notice stands in a message, or in whose thread the message is."""
    told = first(db, Notice, "SELECT * FROM outbox WHERE channel = ? AND ts = ?", [channel, ts])
    if told is not None and "job_id" in told.body:
        return int(told.body["job_id"])
    shown = first(
        db,
        Card,
        "SELECT * FROM cards WHERE channel = ? AND kind = 'job_card' AND ts IN (?, ?)",
        [channel, ts, root],
    )
    return shown.ref if shown else None


def card(db: Database, key: str) -> Card | None:
    """One card."""
    return first(db, Card, "SELECT * FROM cards WHERE key = ?", [key])


def touch(db: Database, key: str) -> None:
    """Says that a card no longer shows the truth."""
    run(db, "UPDATE cards SET dirty = dirty + 1 WHERE key = ?", [key])


def stale_cards(db: Database) -> list[Card]:
    """Posted cards that do not show the truth, longest unedited first."""
    return select(db, Card, "SELECT * FROM cards WHERE dirty > 0 AND ts IS NOT NULL ORDER BY edited_at")


def edited(db: Database, shown: Card, now: float, **changes: Any) -> None:
    """Notes that a card was edited to what it said at ``shown``; later changes stay dirty."""
    run(
        db,
        "UPDATE cards SET dirty = max(0, dirty - ?), edited_at = ? WHERE key = ?",
        [shown.dirty, now, shown.key],
    )
    if changes:
        update(db, "cards", {"key": shown.key}, changes)


def tried(db: Database, shown: Card, now: float) -> None:
    """Notes that an edit of a card was tried and did not succeed; it stays stale."""
    run(db, "UPDATE cards SET edited_at = ? WHERE key = ?", [now, shown.key])


def depth(db: Database) -> tuple[int, int]:
    """How many notices are not posted yet, and how many cards do not show the truth."""
    notices = scalar(db, "SELECT count(*) FROM outbox WHERE state IN ('due', 'sending')")
    return int(notices), int(scalar(db, "SELECT count(*) FROM cards WHERE dirty > 0 AND ts IS NOT NULL"))


def oldest_due(db: Database) -> float | None:
    """When the oldest notice that is not posted yet was written."""
    value = scalar(db, "SELECT min(created_at) FROM outbox WHERE state IN ('due', 'sending')")
    return None if value is None else float(value)

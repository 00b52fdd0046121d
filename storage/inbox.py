"""The inbox: payloads from outside, kept before they are acknowledged, each handled once."""

from __future__ import annotations

from sqlite_utils import Database

from storage.records import InboxItem
from storage.rows import first, insert, run, scalar, select, update


def put(db: Database, item: InboxItem) -> int:
    """Keeps a payload; answers its id, or 0 when its key or content key is known (``item.id`` is ignored)."""
    return insert(db, "inbox", item, drop=("id",), ignore=True)


def get(db: Database, item_id: int) -> InboxItem | None:
    """One item by id."""
    return first(db, InboxItem, "SELECT * FROM inbox WHERE id = ?", [item_id])


def waiting(db: Database, *, after: int = 0, limit: int = -1) -> list[InboxItem]:
    """Items not handled yet whose id is above ``after``, oldest first, at most ``limit`` (-1: all)."""
    return select(
        db,
        InboxItem,
        "SELECT * FROM inbox WHERE state = 'new' AND id > ? ORDER BY id LIMIT ?",
        [after, limit],
    )


def depth(db: Database) -> int:
    """How many items are not handled yet."""
    return int(scalar(db, "SELECT count(*) FROM inbox WHERE state = 'new'"))


def done(db: Database, item_id: int) -> None:
    """Marks an item handled and forgets its payload; call it in the transaction of the item's effect."""
    update(db, "inbox", {"id": item_id}, {"state": "done", "payload": "{}", "error": None})


def tried(db: Database, item_id: int, error: str, *, final: bool) -> None:
    """Notes a failed try; ``final`` gives the item up and forgets its payload."""
    run(db, "UPDATE inbox SET attempts = attempts + 1, error = ? WHERE id = ?", [error, item_id])
    if final:
        update(db, "inbox", {"id": item_id}, {"state": "failed", "payload": "{}"})


def forget(db: Database, before: float) -> int:
    """Deletes what was handled and arrived before this moment: nothing so old comes a second time."""
    return run(db, "DELETE FROM inbox WHERE state != 'new' AND received_at < ?", [before])


def waits(db: Database, content_key: str) -> bool:
    """Whether a thing with this content key is still to be handled."""
    return bool(scalar(db, "SELECT 1 FROM inbox WHERE content_key = ? AND state = 'new'", [content_key]))

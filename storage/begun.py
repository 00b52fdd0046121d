"""Messages in which an answer was begun and not finished: after a crash they are found and closed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from storage.rows import first, insert, run


@dataclass(frozen=True, slots=True)
class Begun:
    """One message of an answer to the inbox item ``item_id``; a long answer takes several."""

    channel: str
    ts: str
    item_id: int


def add(db: Database, begun: Begun) -> None:
    """Notes that an answer grows in a message from now on."""
    insert(db, "answers_begun", begun, ignore=True)


def newest(db: Database, item_id: int) -> Begun | None:
    """The message that the answer to an item grew in last; those before it are whole."""
    return first(
        db, Begun, "SELECT * FROM answers_begun WHERE item_id = ? ORDER BY ts DESC LIMIT 1", [item_id]
    )


def forget(db: Database, item_id: int) -> None:
    """The answer to an item is whole, or says that it is not."""
    run(db, "DELETE FROM answers_begun WHERE item_id = ?", [item_id])

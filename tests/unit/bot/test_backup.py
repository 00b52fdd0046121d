"""A backup taken while ftbot writes is whole, private, and can be put in the database's place."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.backup import backup
from bot.errors import StartError
from storage import inbox
from storage.records import InboxItem
from storage.store import Store


def item(number: int) -> InboxItem:
    return InboxItem(0, f"key-{number}", None, "message", {"n": number}, 1.0)


async def test_a_backup_made_while_writes_go_on_is_restored_and_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "ftbot.db")

    async def writes() -> None:
        for number in range(300):
            await store.write(lambda db, n=number: inbox.put(db, item(n)))

    writing = asyncio.create_task(writes())
    await asyncio.sleep(0)
    copy = tmp_path / "copy.db"
    size = await asyncio.to_thread(backup, store.path, copy)
    await writing
    await store.close()
    assert size == copy.stat().st_size
    assert copy.stat().st_mode & 0o077 == 0

    for path in tmp_path.glob("ftbot.db*"):
        path.unlink()
    copy.rename(tmp_path / "ftbot.db")
    restored = Store(tmp_path / "ftbot.db")
    kept = await restored.read(inbox.waiting)
    assert [one.payload["n"] for one in kept] == list(range(len(kept)))
    assert await restored.write(lambda db: inbox.put(db, item(1_000)))
    await restored.close()


def test_a_backup_that_fails_leaves_the_older_one_alone(tmp_path: Path) -> None:
    broken = tmp_path / "ftbot.db"
    broken.write_bytes(b"this is no database at all, but long enough to look at" * 100)
    old = tmp_path / "copy.db"
    old.write_text("the older copy")
    with pytest.raises(StartError, match="could not be written"):
        backup(broken, old)
    assert old.read_text() == "the older copy"
    assert not list(tmp_path.glob("*.part"))


def test_without_a_database_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="FTBOT_DATA"):
        backup(tmp_path / "none.db", tmp_path / "copy.db")


def test_a_copy_on_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ftbot.db")) as db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(StartError, match="could not be written"):
        backup(tmp_path / "ftbot.db", tmp_path / "nowhere" / "copy.db")

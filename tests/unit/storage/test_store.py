"""The store: what one task loses, no other task loses with it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import chats, inbox
from storage.chat_records import Turn
from storage.errors import StoreClosed, StoreUnusable
from storage.migrations import migrations
from storage.records import InboxItem
from storage.rows import scalar
from storage.store import Database, Store


def item(key: str, content_key: str | None = None) -> InboxItem:
    return InboxItem(0, key, content_key, "event", {"a": ["ü", 1, None]}, 1.0)


async def test_of_two_tasks_writing_at_once_the_failing_one_takes_only_its_own_rows(store: Store) -> None:
    async def good(n: int) -> None:
        for k in range(20):
            await store.write(lambda db, k=k: inbox.put(db, item(f"good-{n}-{k}")))

    async def bad(n: int) -> None:
        def half_done(db: Database) -> None:
            inbox.put(db, item(f"bad-{n}"))
            raise RuntimeError("half way")

        for _ in range(20):
            with pytest.raises(RuntimeError, match="half way"):
                await store.write(half_done)

    await asyncio.gather(*(good(n) for n in range(3)), *(bad(n) for n in range(3)))
    kept = [i.key for i in await store.read(inbox.waiting)]
    assert sorted(kept) == sorted(f"good-{n}-{k}" for n in range(3) for k in range(20))


async def test_a_cancelled_caller_leaves_a_whole_transaction(store: Store) -> None:
    def both(db: Database) -> None:
        inbox.put(db, item("one"))
        inbox.put(db, item("two"))

    task = asyncio.create_task(store.write(both))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.write(lambda db: None)
    assert len(await store.read(inbox.waiting)) in (0, 2)


async def test_the_file_is_wal_and_private(store: Store) -> None:
    assert await store.read(lambda db: scalar(db, "PRAGMA journal_mode")) == "wal"
    assert store.path.stat().st_mode & 0o777 == 0o600


async def test_a_reader_sees_what_was_written_and_every_write_is_announced(store: Store) -> None:
    store.changed.clear()
    await store.write(lambda db: inbox.put(db, item("one")))
    assert store.changed.is_set()
    (kept,) = await store.read(inbox.waiting)
    assert kept.payload == {"a": ["ü", 1, None]}


async def test_migrations_run_once_and_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Store(tmp_path / "x" / "ftbot.db")
    await first.write(lambda db: inbox.put(db, item("one")))
    await first.close()
    again = Store(tmp_path / "x" / "ftbot.db")
    assert len(await again.read(inbox.waiting)) == 1
    await again.close()
    with sqlite3.connect(tmp_path / "x" / "ftbot.db") as conn:
        applied = [row[0] for row in conn.execute("SELECT name FROM _sqlite_migrations ORDER BY name")]
    conn.close()
    assert applied == sorted(m.name for m in migrations._migrations)


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    closed = Store(tmp_path / "ftbot.db")
    await closed.close()
    await closed.close()
    with pytest.raises(StoreClosed):
        await closed.write(lambda db: None)


def test_a_file_that_is_no_database_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "ftbot.db"
    path.write_text("this is a letter to my aunt " * 100)
    with pytest.raises(StoreUnusable, match=r"ftbot\.db"):
        Store(path)


async def test_what_was_deleted_is_nowhere_in_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "ftbot.db")
    for size in (40, 9_000):  # beside others on a page, and on pages of its own
        item = InboxItem(0, f"k{size}", None, "message", {"text": "marmalade" * size}, 1.0)
        number = await store.write(lambda db, item=item: inbox.put(db, item))
        await store.write(lambda db, number=number: inbox.done(db, number))
        turn = Turn(0, "C1", "1.0", "user", "rhubarb" * size, f"1.{size}", 1.0)
        await store.write(lambda db, turn=turn: chats.add_turn(db, turn))
        await store.write(lambda db, turn=turn: chats.remove_turn(db, "C1", turn.ts))
    await store.close()
    left = (tmp_path / "ftbot.db").read_bytes()
    assert b"marmalade" not in left
    assert b"rhubarb" not in left
    assert [one.name for one in tmp_path.iterdir()] == ["ftbot.db"]


async def test_another_program_that_writes_to_the_database_is_waited_for(tmp_path: Path) -> None:
    store = Store(tmp_path / "ftbot.db")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.3, other.execute, "COMMIT")
        assert await store.write(lambda db: inbox.put(db, item("k1")))
    await store.close()

"""The database survives: old data, full and read-only disks, damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import datasets, inbox, jobs, outbox
from storage.errors import StoreUnusable
from storage.migrations import migrations
from storage.records import InboxItem
from storage.store import Database, Store

ROWS = """
INSERT INTO datasets (id, name, version, channel, thread, user, drop_id, state, created_at, sha256, bytes,
  method, examples, tokens, path, tools, report)
VALUES (1, 'triage.jsonl', 1, 'C1', '1.0', 'U1', 'C1:1.0:F1', 'ready', 1.0, 'aa', 10,
  'supervised', 12, 100, NULL, '[]', '{"verdict": "accept"}');
INSERT INTO jobs (id, intent, name, suffix, number, provider, base, dataset_id, channel, owner, state,
  created_at, settings, estimate, progress, error, poll_at, attempts, provider_job_id)
VALUES (1, 'V1', 'triage-1', 'triage', 1, 'openai', 'gpt', 1, 'C1', 'U1', 'training',
  1.0, '{}', '{}', '{"step": 4}', '{}', 0, 0, 'ftjob-1');
INSERT INTO outbox (id, kind, channel, body, created_at, state, due_at, attempts, thread_of)
VALUES ('job_epoch:1:1', 'job_epoch', 'C1', '{"job_id": 1}', 1.0, 'sending', 0, 1, 'job:1');
INSERT INTO cards (key, kind, ref, channel, ts, dirty, edited_at)
VALUES ('job:1', 'job_card', 1, 'C1', '2.0', 1, 0);
INSERT INTO inbox (key, kind, payload, received_at, state, attempts)
VALUES ('Ev1', 'message', '{"kind": "message", "user": "U1"}', 1.0, 'new', 0)
"""


def old_database(path: Path) -> None:
    """A database as the first release left it, with a record of each kind."""
    db = Database(path)
    _first_only(db)
    with db.conn:
        for statement in ROWS.split(";"):
            if statement.strip():
                db.conn.execute(statement)
    db.conn.close()


def _first_only(db: Database) -> None:
    names = [one.name for one in migrations.pending(db)]
    migrations.apply(db, stop_before=names[1])


async def test_a_database_of_the_first_release_opens_with_everything_in_it(tmp_path: Path) -> None:
    old_database(tmp_path / "ftbot.db")
    store = Store(tmp_path / "ftbot.db")
    assert (await store.read(lambda db: datasets.get(db, 1))).title == "triage.jsonl v1"
    job = await store.read(lambda db: jobs.get(db, 1))
    assert (job.state, job.progress) == ("training", {"step": 4})
    (notice,) = await store.read(lambda db: outbox.due(db, 10.0))
    assert notice.state == "sending"
    assert [item.key for item in await store.read(inbox.waiting)] == ["Ev1"]
    await store.close()


async def test_opening_a_second_time_changes_nothing(tmp_path: Path) -> None:
    old_database(tmp_path / "ftbot.db")
    for _ in range(2):
        store = Store(tmp_path / "ftbot.db")
        await store.close()
    with closing(sqlite3.connect(tmp_path / "ftbot.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def item(number: int, size: int = 1) -> InboxItem:
    return InboxItem(0, f"key-{number}", None, "message", {"text": "x" * size}, 1.0)


async def test_a_full_disk_is_said_and_what_was_kept_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "ftbot.db")
    await store.write(lambda db: inbox.put(db, item(1)))
    pages = await store.write(lambda db: int(db.conn.execute("PRAGMA page_count").fetchone()[0]))
    await store.write(lambda db: db.conn.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())
    with pytest.raises(StoreUnusable, match="full"):
        await store.write(lambda db: inbox.put(db, item(2, 1_000_000)))
    assert [one.key for one in await store.read(inbox.waiting)] == ["key-1"]
    await store.write(lambda db: db.conn.execute(f"PRAGMA max_page_count = {pages + 10_000}").fetchone())
    assert await store.write(lambda db: inbox.put(db, item(2, 1_000_000)))
    await store.close()


async def test_a_disk_that_becomes_read_only_is_said_and_nothing_is_half_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "ftbot.db")
    await store.write(lambda db: db.conn.execute("PRAGMA query_only = 1") and None)
    with pytest.raises(StoreUnusable, match="readonly"):
        await store.write(lambda db: inbox.put(db, item(1)))
    await store.write(lambda db: db.conn.execute("PRAGMA query_only = 0") and None)
    assert await store.read(inbox.waiting) == []
    await store.close()


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "ftbot.db").write_bytes(b"not a database, certainly not one" * 200)
    with pytest.raises(StoreUnusable, match="cannot be used"):
        Store(tmp_path / "ftbot.db")

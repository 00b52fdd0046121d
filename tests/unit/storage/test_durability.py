"""The database survives: old data, full and read-only disks, damage."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import datasets, inbox, jobs, outbox
from storage.errors import StoreUnusable
from storage.migrations import migrations
from storage.records import InboxItem
from storage.store import Database, Store
from tests.support.lacking import lacking

CAP_SYS_ADMIN = 21
"""The bit of the right to mount in a process's capabilities (linux/capability.h)."""

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


def steps() -> list[str]:
    """The names of all migrations, in their order."""
    return [one.name for one in migrations.pending(Database(memory=True))]


def old_database(path: Path, before: str) -> None:
    """A database as the version left it that knew nothing from ``before`` on; a record of each kind in it."""
    db = Database(path)
    migrations.apply(db, stop_before=before)
    with db.conn:
        for statement in ROWS.split(";"):
            if statement.strip():
                db.conn.execute(statement)
    db.conn.close()


@pytest.mark.parametrize("before", steps()[1:])
async def test_a_database_of_every_earlier_version_opens_with_everything_in_it(
    tmp_path: Path, before: str
) -> None:
    old_database(tmp_path / "ftbot.db", before)
    store = Store(tmp_path / "ftbot.db")
    assert (await store.read(lambda db: datasets.get(db, 1))).title == "triage.jsonl v1"
    job = await store.read(lambda db: jobs.get(db, 1))
    assert (job.state, job.progress) == ("training", {"step": 4})
    (notice,) = await store.read(lambda db: outbox.due(db, 10.0))
    assert notice.state == "sending"
    assert [item.key for item in await store.read(inbox.waiting)] == ["Ev1"]
    assert await store.read(lambda db: migrations.pending(db)) == []
    await store.close()


async def test_opening_a_second_time_changes_nothing(tmp_path: Path) -> None:
    old_database(tmp_path / "ftbot.db", steps()[1])
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


def may_mount() -> bool:
    """True for root on Linux, unless a container took the right away."""
    status = Path("/proc/self/status")
    held = re.search(r"^CapEff:\s*([0-9a-f]+)$", status.read_text(), re.M) if status.exists() else None
    return held is not None and bool(int(held[1], 16) >> CAP_SYS_ADMIN & 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of two megabytes."""
    if not may_mount():
        pytest.skip("a disk of its own needs the right to mount, which root has and this user has not")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if not shutil.which("mount"):
        lacking("no mount on this machine: no disk is filled")
    subprocess.run(command, check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


async def test_a_real_disk_that_is_full_is_said_and_nothing_is_damaged(small_disk: Path) -> None:
    store = Store(small_disk / "ftbot.db")
    kept = 0

    async def fill() -> None:
        nonlocal kept
        while True:
            await store.write(lambda db, n=kept: inbox.put(db, item(n, 20_000)))
            kept += 1

    with pytest.raises(StoreUnusable, match="full"):
        await fill()
    assert len(await store.read(inbox.waiting)) == kept
    await store.close()
    assert sound(small_disk / "ftbot.db")
    remount(small_disk, "size=8m")
    again = Store(small_disk / "ftbot.db")
    assert await again.write(lambda db: inbox.put(db, item(5_000)))
    assert len(await again.read(inbox.waiting)) == kept + 1
    await again.close()


async def test_a_real_disk_that_is_read_only_is_said_in_words(small_disk: Path) -> None:
    store = Store(small_disk / "ftbot.db")
    await store.write(lambda db: inbox.put(db, item(1)))
    await store.close()
    remount(small_disk, "ro")
    with pytest.raises(StoreUnusable, match=r"cannot be used .*(?i:read-?only|unable to open)"):
        Store(small_disk / "ftbot.db")
    remount(small_disk, "rw")
    assert sound(small_disk / "ftbot.db")


async def test_the_database_and_its_log_are_private_to_their_user(tmp_path: Path) -> None:
    store = Store(tmp_path / "ftbot.db")
    await store.write(lambda db: inbox.put(db, item(1)))
    rights = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.glob("ftbot.db*")}
    await store.close()
    assert rights == {"ftbot.db": 0, "ftbot.db-wal": 0, "ftbot.db-shm": 0}

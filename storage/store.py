"""The store: one SQLite file, one writer thread, one reader thread.

A transaction is one plain function, run to its end on the writer thread (``await store.write(fn)``); nothing
awaits inside it, so two tasks can never share a transaction and a failing one takes only its own rows along.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from storage.errors import StoreClosed, StoreUnusable
from storage.migrations import migrations

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000


def _connect(path: Path) -> Database:
    conn = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    conn.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("PRAGMA foreign_keys = ON")
    conn.execute("PRAGMA secure_delete = ON")  # what was deleted is overwritten, not only let go of
    return Database(conn)


class Store:
    """The records on disk.

    ``changed`` is set after every write: a loop that clears it, looks and then waits misses nothing.
    """

    def __init__(self, path: Path) -> None:
        """Opens (and creates or migrates) the file at ``path``.

        Raises:
            StoreUnusable: the file or its folder cannot be written, or it is no SQLite database.
        """
        self.path = path
        self.changed = asyncio.Event()
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)  # before SQLite makes it: the log beside it takes the same rights
            path.chmod(0o600)
            self._writer_db = _connect(path)
            migrations.apply(self._writer_db)
            self._reader_db = _connect(path)
        except (sqlite3.Error, OSError) as problem:
            raise StoreUnusable(
                f"The database {path} cannot be used ({problem}). Check its path, its rights and the disk."
            ) from problem
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    async def write(self, fn: Callable[[Database], T]) -> T:
        """Runs ``fn`` as one transaction: all of it is kept, or, when it raises, nothing.

        Raises:
            StoreClosed: the store was closed.
            StoreUnusable: the disk is full, read-only or damaged.
        """
        result = await self._run(self._writer, self._transaction, fn)
        self.changed.set()
        return result

    async def read(self, fn: Callable[[Database], T]) -> T:
        """Runs ``fn`` on the reader thread; it sees one snapshot and must not write.

        Raises:
            StoreClosed: the store was closed.
            StoreUnusable: the disk cannot be read, or the file is damaged.
        """
        return await self._run(self._reader, self._snapshot, fn)

    async def close(self) -> None:
        """Waits for the work that is under way, then closes the file."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._reader.shutdown)
        self._writer_db.conn.close()
        self._reader_db.conn.close()

    async def _run(
        self,
        pool: ThreadPoolExecutor,
        how: Callable[[Callable[[Database], T]], T],
        fn: Callable[[Database], T],
    ) -> T:
        if self._closed:
            raise StoreClosed
        # A caller that is cancelled must not see its transaction half done: it runs to its end on the thread.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(pool, how, fn))

    def _transaction(self, fn: Callable[[Database], T]) -> T:
        with _named("written"), self._writer_db.atomic():
            return fn(self._writer_db)

    def _snapshot(self, fn: Callable[[Database], T]) -> T:
        conn = self._reader_db.conn
        with _named("read"):
            conn.execute("BEGIN")
            try:
                return fn(self._reader_db)
            finally:
                conn.execute("ROLLBACK")


@contextmanager
def _named(what: str) -> Generator[None]:
    """What SQLite says of the disk becomes our own error; what it says of our own mistakes does not."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        if isinstance(problem, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise StoreUnusable(f"The database could not be {what}: {problem}.") from problem

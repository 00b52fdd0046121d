"""The SQLite file that the server and its training processes share.

Each operation opens its own connection: threads and processes then never share one. WAL lets the
server read while a job writes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path

BUSY_SECONDS = 30
SECTION = re.compile(r"^-- version (\d+)\n", re.MULTILINE)


def sections() -> list[tuple[int, str]]:
    """The parts of `schema.sql` by the version that each brings a database to, in order."""
    parts = SECTION.split(resources.files("trainserver").joinpath("schema.sql").read_text(encoding="utf-8"))
    return [(int(number), script) for number, script in zip(parts[1::2], parts[2::2], strict=True)]


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Execute each statement of `script` (`executescript` would end the transaction)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


class Database:
    """One database file, created and brought to the current version on first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.write() as connection:
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            for number, script in sections():
                if number > version:
                    _run(connection, script)
                    connection.execute(f"PRAGMA user_version = {number}")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """A connection for reading; all reads inside see one moment."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """One transaction: kept when the block ends, undone when it raises."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

"""``ftbot backup FILE``: a whole copy of the database while ftbot runs."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import StartError

PAGES_AT_ONCE = 500
"""Pages copied in one go; in between the running bot writes."""


def backup(database: Path, target: Path) -> int:
    """Copies the database to ``target``, checks the copy and answers its size in bytes.

    The copy is written beside ``target`` and takes its name only when it is whole, so an older copy is never
    lost to a failed one.

    Raises:
        StartError: there is no database, the copy cannot be written, or it is damaged.
    """
    if not database.is_file():
        raise StartError(f"There is no database at {database}. Set FTBOT_DATA to the folder ftbot works in.")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with (
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as source,
            closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy, pages=PAGES_AT_ONCE)
            copy.execute("PRAGMA journal_mode = DELETE")
            verdict = str(copy.execute("PRAGMA integrity_check").fetchone()[0])
        if verdict != "ok":
            raise StartError(f"The copy is damaged: {verdict}. Run `ftbot doctor`.")
        os.replace(part, target)
    except (sqlite3.Error, OSError) as problem:
        raise StartError(f"The backup {target} could not be written: {problem}.") from problem
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size

"""The process of one job: `python -m trainserver.train --data DIR [--config FILE] JOB`.

It writes each step to the database itself, so that nothing is lost when the server dies; it ends itself
when its parent is gone, and a server started later runs the job again from its last state. `accelerate
launch` starts several for one job, one a GPU.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import sqlite3
import sys
import time
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import IO

from trainserver import jobs
from trainserver.config import load
from trainserver.database import Database
from trainserver.errors import JobFailed, LostPeer
from trainserver.launching import CANNOT_WRITE
from trainserver.layout import Layout
from trainserver.parallel import size
from trainserver.run import Left, Run
from trainserver.troubles import readable

LOCK_SECONDS = 120


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Wait until an earlier process of the same job is gone; of several, the first waits for all."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        if os.environ.get("RANK", "0") == "0":
            _wait_for(lock)
        yield


def _wait_for(lock: IO[str]) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise JobFailed("server_error", "An earlier process of this job does not end.") from None
            time.sleep(0.1)


def main(arguments: list[str] | None = None) -> int:
    """Run one job; exit code 0 also when the job failed, because that is written down by then.

    `CANNOT_WRITE` when it is not; 1 where several processes train it, so that their launcher ends the others.
    """
    parser = argparse.ArgumentParser(prog="trainserver.train")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("job")
    options = parser.parse_args(arguments)
    layout = Layout(options.data)
    database = Database(layout.database)
    with database.read() as connection:
        job = jobs.get(connection, options.job)
    ended = 0 if size() == 1 else 1
    try:
        with _alone(layout.job(job.id)):
            Run(layout, load(options.config), job).go()
    except Left:
        return 0
    except (jobs.NoLongerActive, LostPeer) as error:
        print(error, file=sys.stderr)
        return ended
    except Exception as error:  # whatever a base or a library raises ends the job, and is told and logged
        with contextlib.suppress(OSError):
            traceback.print_exc()
        return _settle(database, job.id, readable(error)) or ended
    return 0


def _settle(database: Database, job_id: str, failure: JobFailed) -> int:
    try:
        with database.write() as connection:
            jobs.mark_failed(connection, job_id, failure)
    except jobs.NoLongerActive as late:
        print(late, file=sys.stderr)
    except (OSError, sqlite3.Error):
        return CANNOT_WRITE
    return 0


if __name__ == "__main__":
    sys.exit(main())

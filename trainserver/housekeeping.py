"""What goes away by itself: expired files, what is left of ended uploads, old stored answers."""

from __future__ import annotations

import asyncio
import shutil

from trainserver import files, responses, uploads
from trainserver.database import Database
from trainserver.layout import Layout

LOOK_SECONDS = 60.0


def sweep(database: Database, layout: Layout) -> None:
    """Remove all that has had its time."""
    with database.write() as connection:
        gone = files.expired(connection)
        for file_id in gone:
            files.remove(connection, file_id)
        responses.forget_old(connection)
        ended = uploads.ended(connection)
    for file_id in gone:
        layout.file(file_id).unlink(missing_ok=True)
    for upload_id in ended:
        shutil.rmtree(layout.upload(upload_id), ignore_errors=True)


async def run(database: Database, layout: Layout) -> None:
    """Sweep until cancelled."""
    while True:
        await asyncio.to_thread(sweep, database, layout)
        await asyncio.sleep(LOOK_SECONDS)

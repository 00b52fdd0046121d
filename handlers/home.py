"""Surface: the Home tab."""

from __future__ import annotations

from handlers.house import House
from handlers.incoming import Incoming
from handlers.views.home import home
from storage import jobs
from storage.records import OPEN_JOB_STATES, InboxItem, Job
from storage.store import Database

SHOWN = 10


async def on_home(house: House, item: InboxItem, seen: Incoming) -> None:
    """Shows a person their own jobs: those under way and their newest models."""

    def mine(db: Database) -> tuple[list[Job], list[Job]]:
        running = [job for job in jobs.in_states(db, *OPEN_JOB_STATES) if job.owner == seen.user]
        ready = [job for job in jobs.in_states(db, "ready") if job.owner == seen.user]
        return running[::-1], ready[::-1]

    running, ready = await house.store.read(mine)
    view = home(running[:SHOWN], ready[:SHOWN], house.clock(), house.command)
    await house.client.views_publish(user_id=seen.user, view=view)

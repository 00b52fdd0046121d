"""Surface: the Home tab."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from handlers.house import House
from handlers.incoming import Incoming
from handlers.offers import profile_of
from handlers.views.home import Mine, home
from storage import datasets, jobs, rooms
from storage.records import OPEN_JOB_STATES, InboxItem, Job
from storage.store import Database

SHOWN = 10


async def on_home(house: House, item: InboxItem, seen: Incoming) -> None:
    """Shows a person what is theirs: jobs under way, models with their last day, datasets and spend."""
    now = house.clock()

    def look(db: Database) -> tuple[list[Job], list[Job], Mine]:
        running = [job for job in jobs.in_states(db, *OPEN_JOB_STATES) if job.owner == seen.user]
        ready = [job for job in jobs.in_states(db, "ready") if job.owner == seen.user and not job.archived]
        return running[::-1], ready[::-1], _mine(db, seen.user, now)

    running, ready, mine = await house.store.read(look)
    mine = replace(mine, lifetime=await _last_days(house, ready[:SHOWN]))
    view = home(running[:SHOWN], ready[:SHOWN], now, house.command, mine)
    await house.client.views_publish(user_id=seen.user, view=view)


def _mine(db: Database, user: str, now: float) -> Mine:
    today = datetime.fromtimestamp(now, UTC)
    month = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    usage = rooms.usage_in(db, today.strftime("%Y-%m"))
    return Mine(
        datasets=datasets.of_user(db, user, limit=5),
        usd=sum(_cost(job) for job in jobs.since(db, month) if job.owner == user),
        chat_tokens=sum(one.tokens for one in usage),
        chat_answers=sum(one.answers for one in usage),
    )


def _cost(job: Job) -> float:
    """What a job was billed, else what it is estimated to cost; nothing where it never trained."""
    if job.estimate.get("charges") is False or (job.state in ("failed", "cancelled") and not job.started_at):
        return 0.0
    return float(job.progress.get("billed_usd") or job.estimate.get("usd") or 0.0)


async def _last_days(house: House, ready: list[Job]) -> dict[int, str]:
    found: dict[int, str] = {}
    for job in ready:
        profile = await profile_of(house, job.provider)
        base = profile.base(job.base) if profile else None
        if base is not None and base.shutdown_date:
            found[job.id] = base.shutdown_date
    return found

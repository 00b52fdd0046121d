"""Surface: the Home tab."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from handlers.errors import BadCall
from handlers.house import House
from handlers.incoming import Incoming
from handlers.offers import profile_of
from handlers.views.home import Mine, home
from handlers.views.settings_form import settings_form
from handlers.visible import sees
from storage import datasets, jobs, rooms
from storage.records import OPEN_JOB_STATES, InboxItem, Job
from storage.store import Database

SHOWN = 10


async def on_home(house: House, item: InboxItem, seen: Incoming) -> None:
    """Shows a person what is theirs: jobs under way, models with their last day, datasets and spend.

    What they made in a channel that they have left since is not shown.
    """
    now = house.clock()
    found = await house.rooms.of(house.client, seen.user)

    def look(db: Database) -> tuple[list[Job], list[Job], Mine]:
        mine = [job for job in jobs.of_owner(db, seen.user, limit=500) if _still_in(job.channel, found)]
        running = [job for job in mine if job.state in OPEN_JOB_STATES]
        ready = [job for job in mine if job.state == "ready"]
        return running, ready, _mine(db, seen.user, now, found)

    running, ready, mine = await house.store.read(look)
    mine = replace(mine, lifetime=await _last_days(house, ready[:SHOWN]), rooms=bool(found))
    view = home(running[:SHOWN], ready[:SHOWN], now, house.command, mine)
    await house.client.views_publish(user_id=seen.user, view=view)


async def open_settings(house: House, clicked: Incoming) -> None:
    """Opens the settings of a channel that was chosen in Home.

    Raises:
        BadCall: the person is not in this channel.
    """
    channel = clicked.value
    if not channel or not await sees(house, clicked.user, channel, here="", is_dm=True):
        raise BadCall("You are not in this channel, or I am not.", "Choose one that we are both in.")
    now = await house.store.read(lambda db: rooms.settings_of(db, channel))
    await house.client.views_open(trigger_id=clicked.trigger_id or "", view=settings_form(now))


def _still_in(channel: str, found: Collection[str] | None) -> bool:
    """Whether a person is still where something of theirs was made; direct messages they never leave."""
    return found is None or channel in found or channel.startswith("D")


def _mine(db: Database, user: str, now: float, found: Collection[str] | None) -> Mine:
    today = datetime.fromtimestamp(now, UTC)
    month = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    usage = rooms.usage_in(db, today.strftime("%Y-%m"))
    dropped = [one for one in datasets.of_user(db, user, limit=50) if _still_in(one.channel, found)]
    return Mine(
        datasets=dropped[:5],
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

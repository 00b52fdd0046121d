"""``jobs``: the jobs of this channel."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs.verb import Verb
from handlers.views.lists import jobs_list
from handlers.visible import channels_for
from storage import jobs
from storage.records import OPEN_JOB_STATES, Job
from storage.store import Database


async def run(call: Call, house: House) -> Answer:
    """Open jobs first, then the newest, ten at a time; in direct messages those of the person's channels.

    A button leafs in place.
    """
    also = await channels_for(house, call.user, is_dm=call.is_dm)
    found, away = await house.store.read(lambda db: _of(db, [call.channel, *sorted(also)]))
    number = call.args.strip().removeprefix("from-")
    start = int(number) if number.isdecimal() and int(number) < len(found) else 0
    said = jobs_list(found, house.clock(), house.command, start=start, archived=away, here=not call.is_dm)
    return Answer(said, replace=call.surface == "action" and bool(number))


def _of(db: Database, places: list[str]) -> tuple[list[Job], int]:
    found = [job for place in places for job in jobs.in_channel(db, place, limit=100)]
    found.sort(key=lambda job: (job.state not in OPEN_JOB_STATES, -job.id))
    return found, sum(len(jobs.archived_in(db, place)) for place in places)


VERB = Verb("jobs", "", "lists the jobs of this channel", run)

"""``jobs``: the jobs of this channel."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs.verb import Verb
from handlers.views.lists import jobs_list
from storage import jobs


async def run(call: Call, house: House) -> Answer:
    """Open jobs first, then the newest."""
    found = await house.store.read(lambda db: jobs.in_channel(db, call.channel))
    return Answer(jobs_list(found, house.clock(), house.command))


VERB = Verb("jobs", "", "lists the jobs of this channel", run)

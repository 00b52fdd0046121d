"""``job``: everything about one job."""

from __future__ import annotations

from dataclasses import replace

from handlers.answer import Answer, Call
from handlers.facts import job_facts
from handlers.house import House
from handlers.verbs.choosing import which_job
from handlers.verbs.finding import find_job
from handlers.verbs.verb import Verb
from handlers.views.lists import job_details
from storage import jobs


async def run(call: Call, house: House) -> Answer:
    """State, figures, checkpoints and the provider's ids; the only job of a channel needs no name."""
    if not call.args.strip():
        found = await house.store.read(lambda db: jobs.in_channel(db, call.channel, limit=2))
        if len(found) != 1:
            return await which_job(call, house)
        call = replace(call, args=f"#{found[0].id}")
    job = await find_job(call, house)
    facts = await job_facts(house, job)
    checkpoints = await house.store.read(lambda db: jobs.checkpoints_of(db, job.id))
    return Answer(job_details(job, facts, checkpoints, house.clock()))


VERB = Verb("job", "NAME", "shows everything about one job", run)

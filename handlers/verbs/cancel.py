"""``cancel``: asks once, then cancels; only who started the job, and admins."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.facts import job_facts
from handlers.house import House
from handlers.rights import may_change
from handlers.verbs.choosing import which_job
from handlers.verbs.finding import find_job
from handlers.verbs.verb import Verb
from handlers.views.leaving import ask_cancel
from handlers.views.lists import cancel_asked
from storage.records import OPEN_JOB_STATES
from tuning.errors import NotCancellable


async def run(call: Call, house: House) -> Answer:
    """Typed, or chosen among several: the button that asks. Pressed and confirmed: the cancelling.

    The thread tells the end.
    """
    if not call.args.strip():
        return await which_job(call, house)
    job = await find_job(call, house)
    may_change(call, house, job, "cancel")
    if job.state not in OPEN_JOB_STATES:
        raise NotCancellable(f"{job.name} has ended already, so there is nothing to cancel.")
    if call.surface != "action" or call.chosen:
        return Answer(ask_cancel(job, await job_facts(house, job)), settled=call.chosen)
    return Answer(cancel_asked(await house.engine.cancel(job.id, call.user)), settled=True)


VERB = Verb("cancel", "NAME", "cancels a job that runs", run)

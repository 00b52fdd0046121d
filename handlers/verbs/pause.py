"""``pause``: stops a job for a while, where the provider can; only who started it, and admins."""

from __future__ import annotations

from handlers.answer import Answer, Call, Message
from handlers.house import House
from handlers.rights import may_change
from handlers.text import esc
from handlers.verbs.choosing import which_job
from handlers.verbs.finding import find_job
from handlers.verbs.verb import Verb
from handlers.views.layout import bold, rich


async def run(call: Call, house: House) -> Answer:
    """Asks the provider; the job's thread tells when it is paused, and by whom."""
    if not call.args.strip():
        return await which_job(call, house)
    job = await find_job(call, house)
    may_change(call, house, job, "pause")
    job = await house.engine.pause(job.id, call.user)
    words = "is paused." if job.state == "paused" else "will be paused: its thread says when."
    return Answer(Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])]), settled=True)


VERB = Verb("pause", "NAME", "pauses a job, where the provider can", run)

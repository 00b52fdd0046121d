"""``resume``: lets a paused job go on; only who started it, and admins."""

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
    """Asks the provider; the job's thread tells that it goes on."""
    if not call.args.strip():
        return await which_job(call, house)
    job = await find_job(call, house)
    may_change(call, house, job, "resume")
    job = await house.engine.resume(job.id, call.user)
    words = "goes on." if job.state != "paused" else "will go on: its thread says when."
    return Answer(Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])]), settled=True)


VERB = Verb("resume", "NAME", "lets a paused job go on", run)

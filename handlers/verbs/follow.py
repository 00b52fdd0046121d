"""``follow``: brings a job that was started elsewhere into this channel."""

from __future__ import annotations

from handlers.answer import Answer, Call, Message
from handlers.house import House
from handlers.text import esc
from handlers.verbs.verb import Verb
from handlers.views.choices import BUTTONS, choose
from handlers.views.layout import bold, rich
from handlers.views.problems import problem


async def run(call: Call, house: House) -> Answer:
    """Its card is posted here and kept up to date; without an id, the newest jobs to choose from."""
    wanted = call.args.strip()
    if wanted:
        job = await house.engine.follow(wanted, call.channel, call.user)
        words = "is followed here now: its card is in the channel."
        return Answer(Message(f"{esc(job.name)} {words}", [rich([bold(job.name), f" {words}"])]))
    found = await house.engine.unknown_jobs()
    if not found:
        return Answer(problem("No provider has a job that is not followed here already."))
    choices = [(one.label, f"{one.provider}|{one.job.id}") for one in found[:BUTTONS]]
    hint = f"Another one: {house.command} follow ID, with the provider's id of the job."
    return Answer(choose("follow", "Which job shall I bring here?", choices, hint))


VERB = Verb("follow", "[ID]", "brings a job that was started elsewhere into this channel", run)

"""``use``: which model answers new chats of this channel."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.errors import BadCall
from handlers.house import House
from handlers.verbs.finding import find_job
from handlers.verbs.verb import Verb
from handlers.views.lists import used


async def run(call: Call, house: House) -> Answer:
    """Sets the model and tells the channel; threads that have begun keep theirs."""
    wanted = call.args.strip()
    if not wanted:
        raise BadCall(
            "Which model?", f"Type {house.command} use NAME; {house.command} models lists the names."
        )
    if wanted.startswith("#"):
        wanted = (await find_job(call, house)).name
    model = await house.chat.resolve(call.channel, wanted)
    before = await house.chat.use(call.channel, model, call.user)
    return Answer(used(model, before, call.user), public=True)


VERB = Verb("use", "NAME", "makes a model answer new chats in this channel", run)

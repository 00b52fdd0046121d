"""``use``: which model answers new chats of this channel."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs.choosing import which_model
from handlers.verbs.finding import find_job
from handlers.verbs.verb import Verb
from handlers.views.lists import ask_use, used
from handlers.visible import channels_for
from storage import chats


async def run(call: Call, house: House) -> Answer:
    """Typed: asks once. Pressed: sets the model and tells the channel; begun threads keep theirs."""
    wanted = call.args.strip()
    if not wanted:
        return await which_model(call, house, "Which model shall answer new chats here?")
    if wanted.startswith("#"):
        wanted = (await find_job(call, house)).name
    also = await channels_for(house, call.user, is_dm=call.is_dm)
    model = await house.chat.resolve(call.channel, wanted, also)
    if call.surface != "action":
        now = await house.store.read(lambda db: chats.model_of(db, call.channel))
        return Answer(ask_use(model, now))
    before = await house.chat.use(call.channel, model, call.user)
    return Answer(used(model, before, call.user), public=True, settled=True)


VERB = Verb("use", "NAME", "makes a model answer new chats in this channel", run)

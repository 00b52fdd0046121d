"""``ask``: one question to a model, in a thread of its own."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.chatting import begin_chat
from handlers.errors import BadCall
from handlers.house import House
from handlers.slackapi import text_in
from handlers.verbs.verb import Verb
from handlers.views.chat import question
from handlers.visible import channels_for
from storage.chat_records import Model
from tuning.errors import NoModel


async def run(call: Call, house: House) -> Answer | None:
    """The question stands in the channel for everybody; the answer is streamed under it."""
    model, text = await _whom(call, house)
    if not text:
        raise BadCall(f"What shall I ask {model.label}?", f"Type {house.command} ask your question.")
    place = call.message_ts if call.surface == "mention" and call.thread is None else None
    if place is None:
        said = question(call.user, text, model)
        posted = await house.client.chat_postMessage(channel=call.channel, **said.arguments())
        place = text_in(posted, "ts")
    await begin_chat(house, call.channel, place, call.user, text, model)
    return None


async def _whom(call: Call, house: House) -> tuple[Model, str]:
    """The model and the question: a first word that names a model chooses it."""
    first, _, rest = call.args.strip().partition(" ")
    also = await channels_for(house, call.user, is_dm=call.is_dm)
    if first:
        try:
            return await house.chat.resolve(call.channel, first, also), rest.strip()
        except NoModel:
            pass  # an ordinary word: the whole text is the question
    return await house.chat.resolve(call.channel, None, also), call.args.strip()


VERB = Verb("ask", "[NAME] your question", "asks a model; the answer comes in a thread", run)

"""``compare``: one question to two models, their answers side by side."""

from __future__ import annotations

from handlers import comparing
from handlers.answer import Answer, Call
from handlers.errors import BadCall
from handlers.house import House
from handlers.verbs.finding import find_job
from handlers.verbs.verb import Verb
from handlers.views.compare import ask_for_two, compare_form
from handlers.visible import channels_for


async def run(call: Call, house: House) -> Answer | None:
    """Two names and a question are asked at once; what is missing is asked for in a form."""
    words = call.args.split(maxsplit=2)
    if words and words[0].startswith("#"):
        words[0] = (await find_job(call, house)).name
    if len(words) < (3 if call.surface == "action" else 2):
        if not call.trigger_id:
            return Answer(ask_for_two(house.command, " ".join(words)))
        await house.client.views_open(trigger_id=call.trigger_id, view=compare_form(call.channel, *words))
        return None
    also = await channels_for(house, call.user, is_dm=call.is_dm)
    models = (
        await house.chat.resolve(call.channel, words[0], also),
        await house.chat.resolve(call.channel, words[1], also),
    )
    if models[0].model == models[1].model:
        raise BadCall(f"Both are {models[0].label}.", "Name two models.")
    if len(words) < 3:
        raise BadCall(
            f"What shall I ask {models[0].label} and {models[1].label}?",
            f"Type {house.command} compare {words[0]} {words[1]} your question.",
        )
    thread = call.thread or (call.message_ts if call.surface == "mention" else None)
    await comparing.begin(house, call.channel, thread, call.user, models, words[2])
    return None


VERB = Verb("compare", "[NAME NAME your question]", "asks two models and shows both answers", run)

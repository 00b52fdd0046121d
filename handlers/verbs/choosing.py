"""What a verb answers when it was not told which job or model it is about."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.suggestions import job_choices, model_choices
from handlers.views.choices import choose
from handlers.views.lists import nothing_yet
from handlers.views.problems import problem
from handlers.visible import channels_for

_NONE = {
    "pause": "No job here can be paused now",
    "resume": "No job here is paused",
    "cancel": "No job here is under way",
}


async def which_job(call: Call, house: House) -> Answer:
    """The jobs that the verb of a call has something to do with."""
    also = await channels_for(house, call.user, is_dm=call.is_dm)
    found = await house.store.read(lambda db: job_choices(db, call.channel, call.verb, also))
    if not found:
        words = _NONE.get(call.verb)
        if words is None:
            return Answer(nothing_yet("No jobs in this channel yet", house.command))
        return Answer(problem(f"{words}.", f"{house.command} jobs lists the jobs of this channel."))
    return Answer(
        choose(call.verb, f"Which job shall I {call.verb}?" if words_fit(call) else "Which job?", found)
    )


def words_fit(call: Call) -> bool:
    """Whether the verb can be said in a question."""
    return call.verb in _NONE


async def which_model(call: Call, house: House, question: str) -> Answer:
    """The models that answer, the one in use first."""
    also = await channels_for(house, call.user, is_dm=call.is_dm)
    found = model_choices(await house.chat.models(call.channel, also))
    if not found:
        return Answer(nothing_yet("No models in this channel yet", house.command))
    return Answer(choose(call.verb, question, found))

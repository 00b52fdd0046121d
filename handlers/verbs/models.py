"""``models``: what can be talked to."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs.verb import Verb
from handlers.views.lists import models_list


async def run(call: Call, house: House) -> Answer:
    """The channel's models and the bases, the one in use first."""
    return Answer(models_list(await house.chat.models(call.channel), house.command))


VERB = Verb("models", "", "lists the models you can talk to", run)

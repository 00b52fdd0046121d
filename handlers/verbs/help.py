"""``help``: how to begin, and every verb in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs.verb import Verb
from handlers.views.lists import help_message


def make(verbs: Callable[[], Iterable[Verb]]) -> Verb:
    """The verb; it asks for the others when it is called, because it is one of them."""

    async def run(call: Call, house: House) -> Answer:
        return Answer(help_message(list(verbs()), house.command))

    return Verb("help", "", "shows this", run)

"""One module a verb: arguments → ``tuning`` → an answer. Every surface calls :func:`dispatch`."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs.verb import Verb

VERBS: dict[str, Verb] = {}


async def dispatch(call: Call, house: House) -> Answer | None:
    """Runs the verb of a call; every problem comes back as a kind answer to the caller alone.

    A verb that was mistyped is answered with the nearest one; ``None`` means there is nothing to say.
    """
    raise NotImplementedError

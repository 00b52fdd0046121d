"""One module a verb: arguments → ``tuning`` → an answer. Every surface calls :func:`dispatch`."""

from __future__ import annotations

from difflib import get_close_matches

import structlog

from handlers.answer import Answer, Call
from handlers.errors import HandlerError
from handlers.house import House
from handlers.verbs import (
    ask,
    cancel,
    compare,
    datasets,
    follow,
    help,
    job,
    jobs,
    models,
    pause,
    resume,
    settings,
    start,
    use,
)
from handlers.verbs.verb import Verb
from handlers.views.lists import unknown_verb
from handlers.views.problems import error_message
from storage.errors import NotFound
from tuning.errors import TuningError

log = structlog.get_logger(__name__)

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        start.VERB,
        jobs.VERB,
        job.VERB,
        pause.VERB,
        resume.VERB,
        cancel.VERB,
        models.VERB,
        datasets.VERB,
        use.VERB,
        ask.VERB,
        compare.VERB,
        follow.VERB,
        settings.VERB,
        help.make(lambda: VERBS.values()),
    )
}


async def dispatch(call: Call, house: House) -> Answer | None:
    """Runs the verb of a call; what goes wrong with it comes back as a kind answer to the caller alone.

    A verb that was mistyped is answered with the nearest one; ``None`` means there is nothing to say.

    Raises:
        SlackApiError: Slack refused something (an expired trigger, a channel the bot is not in).
    """
    verb = VERBS.get(call.verb.lower())
    if verb is None:
        near = get_close_matches(call.verb.lower(), VERBS, n=1, cutoff=0.5)
        return Answer(unknown_verb(call.verb, near[0] if near else None, house.command))
    try:
        return await verb.run(call, house)
    except (TuningError, HandlerError, NotFound) as problem:
        log.info("verb_refused", verb=verb.name, problem=type(problem).__name__)
        return Answer(error_message(problem))

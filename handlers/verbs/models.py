"""``models``: what can be talked to."""

from __future__ import annotations

from handlers.answer import Answer, Call
from handlers.house import House
from handlers.verbs.verb import Verb
from handlers.views.lists import archive_list, models_list
from handlers.visible import channels_for
from storage import jobs
from tuning.chat.service import ModelEntry

ARCHIVE = "archive"


async def run(call: Call, house: House) -> Answer:
    """The channel's models and the bases, the one in use first, ten at a time; or those that were put away.

    A button leafs in place.
    """
    also = await channels_for(house, call.user, is_dm=call.is_dm)
    away = await house.chat.models(call.channel, also, archived=True)
    wanted, replace = call.args.strip().lower(), call.surface == "action"
    if wanted == ARCHIVE:
        found = await house.store.read(
            lambda db: [job for entry in away if (job := jobs.by_name(db, entry.name)) is not None]
        )
        return Answer(archive_list(away, found), replace=replace)
    listed = await house.chat.models(call.channel, also)
    start = _start(wanted, listed)
    return Answer(models_list(listed, house.command, start=start, archived=len(away)), replace=replace)


def _start(wanted: str, listed: list[ModelEntry]) -> int:
    number = wanted.removeprefix("from-")
    return int(number) if number.isdecimal() and int(number) < len(listed) else 0


VERB = Verb("models", "[archive]", "lists the models you can talk to, or those that were put away", run)

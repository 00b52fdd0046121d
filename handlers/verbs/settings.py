"""``settings``: how much jobs tell in this channel, and the system prompt of its new chats."""

from __future__ import annotations

from dataclasses import replace

from handlers.answer import Answer, Call
from handlers.errors import BadCall
from handlers.house import House
from handlers.verbs.verb import Verb
from handlers.views.settings_form import LEVELS, changed, settings_answer, settings_form
from storage import chats, rooms
from storage.chat_records import ChannelSettings


async def run(call: Call, house: House) -> Answer | None:
    """Shows them; a button opens the form; a level that is typed is set at once."""
    now, model = await house.store.read(
        lambda db: (rooms.settings_of(db, call.channel), chats.model_of(db, call.channel))
    )
    wanted = call.args.strip().lower()
    if wanted:
        if wanted not in LEVELS:
            raise BadCall(f"Notices are {', '.join(LEVELS)}.", f"Type {house.command} settings quiet, say.")
        chosen = replace(now, notices=wanted, user=call.user, at=house.clock())
        return await save(house, now, chosen)
    if call.surface == "action" and call.trigger_id:
        await house.client.views_open(trigger_id=call.trigger_id, view=settings_form(now))
        return None
    return Answer(settings_answer(now, model.label if model else None, house.command))


async def save(house: House, before: ChannelSettings, chosen: ChannelSettings) -> Answer:
    """Keeps the settings and tells the channel what changed, and by whom."""
    await house.store.write(lambda db: rooms.choose(db, chosen))
    message = changed(before, chosen)
    if message is None:
        return Answer(settings_answer(chosen, None, house.command))
    return Answer(message, public=True)


VERB = Verb("settings", "[LEVEL]", "sets how much jobs tell here, and the prompt of new chats", run)

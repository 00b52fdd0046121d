"""Surface: ``/ft VERB …``."""

from __future__ import annotations

from handlers import reply
from handlers.answer import Call
from handlers.house import House
from handlers.incoming import Incoming, words_of
from handlers.verbs import dispatch
from storage.records import InboxItem


def call_of(said: Incoming) -> Call:
    """The verb call of a slash command; nothing typed asks for help."""
    verb, args = words_of(said.text)
    return Call(
        verb=verb or "help",
        args=args,
        user=said.user,
        channel=said.channel,
        thread=None,
        surface="slash",
        trigger_id=said.trigger_id,
        is_dm=said.is_dm,
    )


async def on_command(house: House, item: InboxItem, said: Incoming) -> None:
    """Runs the verb and answers by ``response_url``: that works even where the bot is no member."""
    await reply.answer(house, said, await dispatch(call_of(said), house))

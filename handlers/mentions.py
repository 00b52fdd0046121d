"""Surface: ``@ftbot VERB …``, and everything else that is said to the bot, which is chat."""

from __future__ import annotations

from handlers import chatting, reply
from handlers.answer import Answer, Call, Message
from handlers.house import House
from handlers.incoming import Incoming, words_of
from handlers.verbs import VERBS, dispatch
from storage import chats
from storage.records import InboxItem


def call_of(said: Incoming) -> Call | None:
    """The verb call of a message to the bot; ``None`` when it is chat. Nothing but the name asks for help."""
    verb, args = words_of(said.text.removeprefix("/"))
    if not (said.mentioned or said.is_dm) or (verb and verb not in VERBS):
        return None
    return Call(
        verb=verb or "help",
        args=args,
        user=said.user,
        channel=said.channel,
        thread=said.thread,
        surface="mention",
        is_dm=said.is_dm,
        message_ts=said.ts,
    )


async def on_message(house: House, item: InboxItem, said: Incoming) -> None:
    """A mention, a direct message or a reply in a chat thread."""
    if said.stops:
        await _stop(house, said)
    elif call := call_of(said):
        await reply.answer(house, said, await dispatch(call, house))
    else:
        await chatting.on_message(house, item, said)


async def _stop(house: House, said: Incoming) -> None:
    place = said.channel, said.root
    thread = await house.store.read(lambda db: chats.get(db, *place))
    running = house.talks.stop(*place, said.user)
    if not running and (thread is None or not thread.active):
        await reply.tell(house, said, Message("I am not answering in this thread; there is nothing to stop."))
        return
    await house.store.write(lambda db: chats.set_active(db, *place, active=False))
    words = f"<@{said.user}> stopped me here. I answer in this thread again when you name me."
    await reply.answer(house, said, Answer(Message(words), public=True))

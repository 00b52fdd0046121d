"""👍 and 👎 under an answer."""

from __future__ import annotations

import structlog

from handlers import reply
from handlers.answer import Message
from handlers.errors import BadCall
from handlers.house import House
from handlers.incoming import Incoming
from storage import chats, rooms
from storage.chat_records import Vote

log = structlog.get_logger(__name__)

VALUES = ("good", "bad")


async def on_vote(house: House, clicked: Incoming) -> None:
    """Keeps what a person thinks of an answer; the last word counts.

    A long answer takes several messages and has its buttons under the last: the vote is kept with its first.

    Raises:
        BadCall: the answer is none of a chat here, or it was deleted.
    """
    place = clicked.channel, clicked.root, clicked.ts or ""
    answer = await house.store.read(lambda db: chats.answer_at(db, *place))
    if answer is None or clicked.value not in VALUES:
        raise BadCall("I do not know this answer any more, so I cannot keep what you think of it.")
    vote = Vote(clicked.channel, answer.ts, clicked.user, clicked.value, house.clock())
    await house.store.write(lambda db: rooms.vote(db, vote))
    log.info("feedback", value=clicked.value)
    await reply.tell(house, clicked, Message("Thank you, noted."))

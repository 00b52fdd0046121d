"""*Try*: a chat thread of its own with one model, where the button is, or in direct messages from Home."""

from __future__ import annotations

from handlers import chatting
from handlers.answer import Message
from handlers.errors import BadCall
from handlers.house import House
from handlers.incoming import Incoming
from handlers.slackapi import text_in
from handlers.text import esc
from handlers.visible import channels_for, sees
from storage import jobs


async def on_try(house: House, clicked: Incoming) -> None:
    """What is written in the thread, the model answers. A checkpoint comes by its name, a job by its id.

    Raises:
        BadCall: the button is too old, or the job is none that this person may see here.
        NoModel: there is no such model, or it is gone. NotFound: the job is gone.
    """
    outside = clicked.is_dm or not clicked.channel
    wanted = clicked.value if "@" in clicked.value else await _job_name(house, clicked)
    also = await channels_for(house, clicked.user, is_dm=outside)
    model = await house.chat.resolve(clicked.channel, wanted, also)
    words = f"<@{clicked.user}> tries *{esc(model.label)}*: write in this thread, it answers."
    place = clicked.channel or clicked.user
    posted = await house.client.chat_postMessage(channel=place, **Message(words).arguments())
    channel = text_in(posted, "channel") or place
    await chatting.begin_chat(house, channel, text_in(posted, "ts"), clicked.user, "", model)


async def _job_name(house: House, clicked: Incoming) -> str:
    if not clicked.value.isdigit():
        raise BadCall("This button is too old to be understood.", "Ask for a new card with the verb jobs.")
    job_id = int(clicked.value)
    job = await house.store.read(lambda db: jobs.get(db, job_id))
    if not await sees(house, clicked.user, job.channel, here=clicked.channel, is_dm=clicked.is_dm):
        raise BadCall("This model belongs to another channel.")
    return job.name

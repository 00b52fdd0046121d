"""The message shortcut *About*: where an answer, a card or a notice of ours comes from."""

from __future__ import annotations

from handlers import reply
from handlers.answer import Answer
from handlers.errors import BadCall
from handlers.house import House
from handlers.incoming import Incoming
from handlers.job_buttons import about_answer
from handlers.views.problems import problem
from handlers.visible import sees
from storage import chats, jobs, outbox
from storage.chat_records import ChatThread
from storage.records import InboxItem, Job
from storage.store import Database


async def on_about(house: House, item: InboxItem, chosen: Incoming) -> None:
    """Says to the person alone what is known of the message they chose.

    Raises:
        BadCall: it speaks of no model, or in direct messages of one of a channel that they are in no longer.
    """
    job, thread = await house.store.read(lambda db: _behind(db, chosen))
    if job and not await sees(house, chosen.user, job.channel, here=chosen.channel, is_dm=chosen.is_dm):
        raise BadCall("This model belongs to a channel that you are not in.")
    if job is not None:
        said = await about_answer(house, job, thread.model if thread else None)
    elif thread is not None:
        said = Answer(
            problem(f"{thread.label} is a base model of {thread.provider}: nobody here trained it.")
        )
    else:
        raise BadCall(
            "This message speaks of no model.", "Choose an answer, a job's card or a notice of mine."
        )
    await reply.answer(house, chosen, said)


def _behind(db: Database, chosen: Incoming) -> tuple[Job | None, ChatThread | None]:
    ts = chosen.ts or ""
    turn = chats.turn_at(db, chosen.channel, ts)
    thread = chats.get(db, chosen.channel, turn.thread if turn else chosen.root)
    if thread is not None:
        return (jobs.get(db, thread.job_id) if thread.job_id is not None else None), thread
    job_id = outbox.job_at(db, chosen.channel, ts, chosen.root)
    return (jobs.get(db, job_id) if job_id is not None else None), None

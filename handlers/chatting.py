"""Surface: talking to a model in a thread."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from handlers import halves, reply
from handlers.answering import Given, give
from handlers.footing import foot_of
from handlers.house import House
from handlers.incoming import Incoming
from handlers.people import name_of
from handlers.sessions import Session
from handlers.streaming import AnswerWriter, Place
from handlers.views.chat import Foot, footer
from handlers.views.problems import error_message, problem
from handlers.visible import channels_for, sees
from storage import begun, chats, inbox, jobs
from storage.chat_records import ChatThread, Model, Turn
from storage.records import InboxItem
from storage.store import Database
from tuning.errors import NoModel


async def begin_chat(house: House, channel: str, thread_ts: str, user: str, text: str, model: Model) -> None:
    """Begins a chat under the message ``thread_ts``, which asks ``text``; the answer comes in its own time.

    Empty ``text``: the thread is a chat from now on, and the first question comes in it.
    """
    await house.chat.begin(channel, thread_ts, user, model)
    if not text.strip():
        return
    asked = Incoming(
        kind="chat", user=user, channel=channel, ts=thread_ts, text=text, is_dm=channel.startswith("D")
    )
    item = InboxItem(
        id=0,
        key=f"chat:{channel}:{thread_ts}",
        content_key=None,
        kind=asked.kind,
        payload=asked.payload(),
        received_at=house.clock(),
    )
    await house.store.write(lambda db: inbox.put(db, item))


async def on_message(house: House, item: InboxItem, said: Incoming) -> None:
    """Answers one message with the thread's model; a mention elsewhere begins a chat with the channel's."""
    thread = await house.store.read(lambda db: chats.get(db, said.channel, said.root))
    if thread is None:
        thread = await _begin(house, said)
        if thread is None:
            return
    elif not await _may_go_on(house, said, thread):
        words = f"{thread.label} belongs to a channel that you are in no longer, so it stops answering here."
        await reply.tell(house, said, problem(words, "Begin a new thread with another model."))
        return
    await _converse(house, item, said, thread)


async def on_changed(house: House, item: InboxItem, said: Incoming) -> None:
    """A message was edited or deleted in Slack: its turn follows, and the model no longer sees what was."""
    place = said.channel, said.ts or ""
    if said.text:
        await house.store.write(lambda db: chats.change_turn(db, *place, said.text))
    else:
        await house.store.write(lambda db: chats.remove_turn(db, *place))


async def on_stop(house: House, item: InboxItem, said: Incoming) -> None:
    """Somebody pressed Slack's own stop button: the answer ends here, the thread stays a chat."""
    house.talks.stop(said.channel, said.root, said.user)


async def _may_go_on(house: House, said: Incoming, thread: ChatThread) -> bool:
    """Whether a chat in direct messages may go on: its model may be that of a channel left since."""
    job_id = thread.job_id
    if not said.is_dm or job_id is None:
        return True
    job = await house.store.read(lambda db: jobs.get(db, job_id))
    return await sees(house, said.user, job.channel, here=said.channel, is_dm=True)


async def _begin(house: House, said: Incoming) -> ChatThread | None:
    """A chat thread under this message; in a thread that others began, every question must name the bot."""
    try:
        also = await channels_for(house, said.user, is_dm=said.is_dm)
        model = await house.chat.resolve(said.channel, None, also)
    except NoModel as none:
        await reply.tell(house, said, error_message(none))
        return None
    thread = await house.chat.begin(said.channel, said.root, said.user, model)
    if said.thread is None or said.is_dm:
        return thread
    await house.store.write(lambda db: chats.set_active(db, thread.channel, thread.thread, active=False))
    return replace(thread, active=0)


async def _converse(house: House, item: InboxItem, said: Incoming, thread: ChatThread) -> None:
    """One question and its answer; the answer and the end of the inbox item are kept together."""
    turns = await _ask(house, said, thread)
    if turns and turns[-1].role == "assistant":
        return  # The question came a second time and was answered before.
    place = Place(thread.channel, thread.thread, said.user, house.team_id, said.is_dm)
    await halves.close(house, thread.thread, item.id, halves.CUT_OFF)
    writer = AnswerWriter(house.client, place, house.clock, halves.keeper(house, thread.channel, item.id))
    session = Session(house, said, thread)
    session.begin()
    try:
        with house.talks.at(thread.channel, thread.thread) as talk:
            given = await give(house, thread, turns, writer, talk, session.waiting)
            if given.stopped:
                await talk.named()
        foot = _ended(await foot_of(house, thread, turns), given)
        if given.stopped:
            foot = replace(foot, stopped_by=await name_of(house, talk.by))
        ts = await writer.finish(footer(thread, foot), status=session.ending())
    except asyncio.CancelledError:
        await halves.close(house, thread.thread, item.id, halves.STOPPED)
        raise
    finally:
        await session.end(done=writer.status_set)
    await house.store.write(lambda db: _keep(db, house, item, thread, given, ts))


def _ended(foot: Foot, given: Given) -> Foot:
    if given.end is None:
        return replace(foot, broken=bool(given.trouble))
    end = given.end
    return replace(foot, seconds=end.seconds, finish_reason=end.finish_reason, tokens=end.tokens)


async def _ask(house: House, said: Incoming, thread: ChatThread) -> list[Turn]:
    """Keeps the question and answers the turns up to it and, when it was answered before, its answer."""
    asked = Turn(
        id=0,
        channel=thread.channel,
        thread=thread.thread,
        role="user",
        text=said.text,
        ts=said.ts or thread.thread,
        created_at=house.clock(),
        user=said.user,
    )

    def put(db: Database) -> list[Turn]:
        chats.add_turn(db, asked)
        return chats.turns_of(db, thread.channel, thread.thread)

    return await house.store.write(put)


def _keep(db: Database, house: House, item: InboxItem, thread: ChatThread, given: Given, ts: str) -> None:
    if given.text and ts:
        answer = Turn(
            id=0,
            channel=thread.channel,
            thread=thread.thread,
            role="assistant",
            text=given.text,
            ts=ts,
            created_at=house.clock(),
        )
        chats.add_turn(db, answer)
    begun.forget(db, item.id)
    inbox.done(db, item.id)

"""Surface: talking to a model in a thread."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import assert_never

import structlog
from slack_sdk.errors import SlackApiError

from handlers import reply
from handlers.house import House
from handlers.incoming import Incoming
from handlers.slackapi import code_of
from handlers.streaming import AnswerWriter, Place
from handlers.text import TailFilter, harmless_markdown
from handlers.views.chat import footer
from handlers.views.problems import error_message
from storage import chats, inbox
from storage.records import ChatThread, InboxItem, Model, Turn
from storage.store import Database
from tuning.chat.service import Done, Waiting
from tuning.errors import NoModel, TuningError
from tuning.providers import Delta

log = structlog.get_logger(__name__)

EMPTY = "_The model answered with nothing._"


@dataclass(slots=True)
class _Given:
    """What became of one answer."""

    text: str = ""
    end: Done | None = None
    trouble: str = ""
    note: str = ""


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
    await _converse(house, item, said, thread)


async def on_changed(house: House, item: InboxItem, said: Incoming) -> None:
    """A message was edited or deleted in Slack: its turn follows, and the model no longer sees what was."""
    place = said.channel, said.ts or ""
    if said.text:
        await house.store.write(lambda db: chats.change_turn(db, *place, said.text))
    else:
        await house.store.write(lambda db: chats.remove_turn(db, *place))


async def _begin(house: House, said: Incoming) -> ChatThread | None:
    """A chat thread under this message; in a thread that others began, every question must name the bot."""
    try:
        model = await house.chat.resolve(said.channel, None)
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
    await _show(house, thread, f"{thread.label} is thinking…")
    place = Place(thread.channel, thread.thread, said.user, house.team_id, said.is_dm)
    writer = AnswerWriter(house.client, place, house.clock)
    given = await _stream(house, thread, turns, writer)
    end = given.end
    blocks = footer(
        thread,
        seconds=end.seconds if end else None,
        finish_reason=end.finish_reason if end else "stop",
        tokens=end.tokens if end else None,
        first=bool(thread.active) and len(turns) == 1,
        note=given.note,
    )
    ts = await writer.finish(blocks)
    await house.store.write(lambda db: _keep(db, house, item, thread, given, ts))


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


async def _stream(house: House, thread: ChatThread, turns: list[Turn], writer: AnswerWriter) -> _Given:
    given, harmless = _Given(), TailFilter()
    try:
        async with aclosing(house.chat.stream(thread, turns)) as parts:
            async for part in parts:
                match part:
                    case Delta():
                        given.text += part.text
                        await writer.add(harmless.feed(part.text))
                    case Done():
                        given.end = part
                    case Waiting():
                        await _show(house, thread, f"{thread.label} is new and being loaded: a moment…")
                    case _:
                        assert_never(part)
                if await _stopped(house, thread):
                    given.note = "stopped"
                    break
    except TuningError as problem:
        log.warning("answer_failed", problem=type(problem).__name__, begun=bool(given.text))
        given.note = "not finished"
        given.trouble = " ".join(part for part in (str(problem), problem.todo) if part)
    await writer.add(harmless.close() + _last_words(given))
    return given


def _last_words(given: _Given) -> str:
    if given.trouble:
        return ("\n\n" if given.text else "") + "⚠️ " + harmless_markdown(given.trouble)
    return "" if given.text.strip() else EMPTY


async def _stopped(house: House, thread: ChatThread) -> bool:
    """Whether somebody said ``stop`` since the answer began."""
    if not thread.active:
        return False
    now = await house.store.read(lambda db: chats.get(db, thread.channel, thread.thread))
    return now is not None and not now.active


async def _show(house: House, thread: ChatThread, status: str) -> None:
    """A word while there is no answer yet; a workspace that has no such place for it does without."""
    try:
        await house.client.assistant_threads_setStatus(
            channel_id=thread.channel, thread_ts=thread.thread, status=status
        )
    except SlackApiError as problem:
        log.debug("no_status", error=code_of(problem))


def _keep(db: Database, house: House, item: InboxItem, thread: ChatThread, given: _Given, ts: str) -> None:
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
    inbox.done(db, item.id)

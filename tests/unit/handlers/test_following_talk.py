"""Edited and deleted messages, votes, searched menus and About, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from handlers import about, chatting, suggestions
from handlers.inbox import sort
from handlers.incoming import read_change
from storage import chats, rooms
from storage.records import InboxItem, Vote
from tests.support.surfaces import MODEL, Surfaces, surfaces, until

ITEM = InboxItem(0, "k", None, "changed", {}, 1.0)


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncGenerator[Surfaces]:
    async with surfaces(tmp_path) as found:
        found.chat.model = MODEL
        yield found


async def asked(slack: Surfaces, channel: str) -> str:
    """A question in a chat thread that was answered."""
    ts = await slack.jin.say(channel, "@ftbot my card was charged twice")

    async def answered() -> bool:
        turns = await slack.store.read(lambda db: chats.turns_of(db, channel, ts))
        return [turn.role for turn in turns] == ["user", "assistant"]

    await until(answered)
    return ts


def edit(channel: str, ts: str, text: str) -> dict[str, object]:
    return {
        "type": "message",
        "subtype": "message_changed",
        "channel": channel,
        "message": {"ts": ts, "user": "U1", "text": text},
        "previous_message": {"ts": ts, "user": "U1", "text": "before"},
    }


async def test_an_edited_message_is_edited_in_the_conversation(slack: Surfaces) -> None:
    channel = slack.channel("tuning")
    ts = await asked(slack, channel)
    changed = read_change(edit(channel, ts, "my card was charged once"), slack.house.bot_user_id)
    assert changed is not None
    await chatting.on_changed(slack.house, ITEM, changed)
    turns = await slack.store.read(lambda db: chats.turns_of(db, channel, ts))
    assert turns[0].text == "my card was charged once"


async def test_a_deleted_message_leaves_the_conversation(slack: Surfaces) -> None:
    channel = slack.channel("tuning")
    ts = await asked(slack, channel)
    gone = {"type": "message", "subtype": "message_deleted", "channel": channel, "deleted_ts": ts}
    body = {"type": "event_callback", "event_id": "Ev9", "event": gone}
    row = sort(body, slack.house.bot_user_id)[0]
    await chatting.on_changed(slack.house, ITEM, row.said)
    turns = await slack.store.read(lambda db: chats.turns_of(db, channel, ts))
    assert [turn.role for turn in turns] == ["assistant"]


def test_an_unfurled_link_is_no_edit() -> None:
    assert read_change(edit("C1", "1.1", "before"), "U0BOT") is None


async def test_the_last_vote_of_a_person_counts(slack: Surfaces) -> None:
    for value in ("good", "bad"):
        await slack.store.write(lambda db, value=value: rooms.vote(db, _vote(value)))
    votes = await slack.store.read(lambda db: rooms.votes_on(db, "C1", "1.1"))
    assert [vote.value for vote in votes] == ["bad"]


def _vote(value: str) -> Vote:
    return Vote("C1", "1.1", "U1", value, 1.0)


async def test_a_menu_nobody_knows_offers_no_jobs(slack: Surfaces) -> None:
    body = {"type": "block_suggestion", "action_id": "pause_pick", "value": "x", "channel": {"id": "C9"}}
    assert await suggestions.options(slack.house, body) == []


async def test_about_an_answer_of_a_base_says_that_nobody_trained_it(slack: Surfaces) -> None:
    channel = slack.channel("tuning")
    ts = await asked(slack, channel)
    turns = await slack.store.read(lambda db: chats.turns_of(db, channel, ts))
    jin = slack.user("jin")
    body = {
        "type": "message_action",
        "callback_id": "about",
        "trigger_id": "t",
        "user": {"id": jin},
        "channel": {"id": channel},
        "message_ts": turns[1].ts,
        "message": {"ts": turns[1].ts, "thread_ts": ts},
    }
    row = sort(body, slack.house.bot_user_id)[0]
    await about.on_about(slack.house, replace(ITEM, kind="about"), row.said)

    async def told() -> bool:
        seen = [*await slack.jin.messages(channel), *await slack.jin.thread(channel, ts)]
        return any("is a base model" in m["text"] for m in seen if m.get("ephemeral"))

    await until(told)

"""Edited and deleted messages, votes, searched menus and About, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from handlers import about, chatting, suggestions
from handlers.inbox import sort, told
from handlers.incoming import read_change
from storage import chats, inbox, rooms
from storage.chat_records import Vote
from storage.records import InboxItem
from tests.support.surfaces import MODEL, Surfaces, surfaces
from tests.support.waiting import until

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


async def turns_become(slack: Surfaces, channel: str, ts: str, wanted: list[str]) -> None:
    async def so() -> bool:
        turns = await slack.store.read(lambda db: chats.turns_of(db, channel, ts))
        return [turn.text for turn in turns] == wanted

    await until(so)


async def test_what_a_person_edits_in_slack_is_edited_here_without_our_name(slack: Surfaces) -> None:
    channel = slack.channel("tuning")
    ts = await asked(slack, channel)
    await slack.jin.ask("PATCH", f"/channels/{channel}/messages/{ts}", {"text": "@ftbot charged once"})
    await turns_become(slack, channel, ts, ["charged once", "billing | high"])


async def test_a_deleted_root_leaves_the_conversation_though_slack_keeps_a_tombstone(slack: Surfaces) -> None:
    channel = slack.channel("tuning")
    ts = await asked(slack, channel)
    reply = await slack.jin.say(channel, "and twice again", ts)
    await turns_become(
        slack,
        channel,
        ts,
        ["my card was charged twice", "billing | high", "and twice again", "billing | high"],
    )
    await slack.jin.ask("DELETE", f"/channels/{channel}/messages/{ts}")
    await turns_become(slack, channel, ts, ["billing | high", "and twice again", "billing | high"])
    await slack.jin.ask("DELETE", f"/channels/{channel}/messages/{reply}")
    await turns_become(slack, channel, ts, ["billing | high", "billing | high"])


async def test_an_edit_of_a_question_that_still_waits_is_not_lost(slack: Surfaces) -> None:
    channel = slack.channel("tuning")
    ts = await asked(slack, channel)
    slack.chat.hold = asyncio.Event()
    await slack.jin.say(channel, "first", ts)
    await until(lambda: len(slack.chat.asked) == 2)
    second = await slack.jin.say(channel, "secnd", ts)
    await until(lambda: slack.store.read(lambda db: inbox.waits(db, f"message:{channel}:{second}")))
    await slack.jin.ask("PATCH", f"/channels/{channel}/messages/{second}", {"text": "second"})
    slack.chat.hold.set()
    said = ["my card was charged twice", "billing | high", "first", "billing | high"]
    await turns_become(slack, channel, ts, [*said, "second", "billing | high"])


async def test_of_our_own_answers_only_their_deletion_is_news(slack: Surfaces) -> None:
    channel = slack.channel("tuning")
    ts = await asked(slack, channel)
    answer = (await slack.store.read(lambda db: chats.turns_of(db, channel, ts)))[1].ts
    gone = read_change({"channel": channel, "deleted_ts": answer}, slack.house.bot_user_id)
    edited = read_change(edit(channel, answer, "more of it"), slack.house.bot_user_id)
    assert gone is not None
    assert edited is not None
    assert await slack.store.read(lambda db: (told(db, gone), told(db, edited))) == (True, False)
    await chatting.on_changed(slack.house, ITEM, gone)
    await turns_become(slack, channel, ts, ["my card was charged twice"])


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

"""An answer is stopped by a word, or by Slack's own button; and what people see before there is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from storage import chats
from tests.support.surfaces import MODEL, Surfaces, surfaces
from tests.support.waiting import until
from tests.unit.handlers.test_chatting import mention, replies, shown
from tuning.chat.service import Done, Waiting
from tuning.providers import ToolCall


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncGenerator[Surfaces]:
    async with surfaces(tmp_path) as found:
        found.chat.model = MODEL
        yield found


async def press_stop(slack: Surfaces, channel: str, thread: str) -> None:
    async def pressed() -> bool:
        return bool((await slack.mina.ask("POST", f"/channels/{channel}/threads/{thread}/stop", {}))["ok"])

    await until(pressed)


async def the_answer(slack: Surfaces, channel: str, thread: str, words: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = [m for m in (await slack.jin.thread(channel, thread))[1:] if not m.get("streaming")]
        return next((m for m in found if words in str(m.get("blocks"))), None)

    return await until(look)


async def test_a_model_that_says_nothing_is_stopped_at_once(slack: Surfaces) -> None:
    slack.chat.hold = asyncio.Event()
    slack.chat.pieces = ["one ", "two"]
    room, ts = await mention(slack, "count")
    await until(lambda: slack.chat.asked)
    await slack.mina.say(room, "@ftbot stop", ts)
    answer = await the_answer(slack, room, ts, "stopped by mina")
    assert shown(answer) == "one "


async def test_a_mention_in_a_strangers_thread_can_be_stopped_too(slack: Surfaces) -> None:
    slack.chat.hold = asyncio.Event()
    room = slack.channel("tuning")
    root = await slack.mina.say(room, "lunch?")
    await slack.jin.say(room, "@ftbot where", root)
    await until(lambda: slack.chat.asked)
    await slack.jin.say(room, "@ftbot stop", root)
    await the_answer(slack, room, root, "stopped by jin")


async def test_slacks_stop_button_ends_the_answer_and_not_the_chat(slack: Surfaces) -> None:
    slack.chat.hold = asyncio.Event()
    slack.chat.pieces = ["one ", "two"]
    room, ts = await mention(slack, "count")
    await until(lambda: slack.chat.asked)
    await press_stop(slack, room, ts)
    answer = await the_answer(slack, room, ts, "stopped by mina")
    assert shown(answer) == "one "
    thread = await slack.store.read(lambda db: chats.get(db, room, ts))
    assert thread is not None
    assert thread.active
    slack.chat.hold = None
    await slack.jin.say(room, "and now?", ts)
    await replies(slack, room, ts, 3)
    assert [turn.role for turn in slack.chat.asked[-1]] == ["user", "assistant", "user"]
    status = [call["args"]["status"] for call in await slack.calls("agents.sessions.setStatus")]
    assert status[:2] == ["processing", "active"]


async def test_the_end_of_a_stream_takes_the_stop_button_away(slack: Surfaces) -> None:
    slack.chat.hold = asyncio.Event()
    room, ts = await mention(slack, "hello")

    async def stoppable() -> bool:
        return bool(await slack.calls("agents.sessions.setStatus"))

    await until(stoppable)
    slack.chat.hold.set()
    await replies(slack, room, ts)
    assert len(await slack.calls("agents.sessions.setStatus")) == 1
    assert (await slack.calls("chat.stopStream"))[-1]["args"]["session_status"] == "active"
    refused = await slack.mina.ask("POST", f"/channels/{room}/threads/{ts}/stop", {})
    assert not refused["ok"]


async def test_a_workspace_without_sessions_is_asked_once(slack: Surfaces) -> None:
    slack.house.talks.sessions = False
    room, ts = await mention(slack, "hello")
    await replies(slack, room, ts)
    assert await slack.calls("agents.sessions.setStatus") == []


async def test_a_stream_that_slack_ended_in_the_middle_is_rescued_with_all_of_its_text(
    slack: Surfaces,
) -> None:
    slack.world.stream_s = 0.1
    slack.chat.hold = asyncio.Event()
    slack.chat.pieces = ["one ", "two ", "three"]
    room, ts = await mention(slack, "count")

    async def ended() -> bool:
        found = (await slack.jin.thread(room, ts))[1:]
        return bool(found) and not found[0].get("streaming")

    await until(ended)
    slack.chat.hold.set()
    answer = await the_answer(slack, room, ts, "triage-7")
    assert shown(answer) == "one two three"
    assert len(await slack.jin.thread(room, ts)) == 2


async def test_a_call_of_a_tool_is_shown_and_said_to_be_only_shown(slack: Surfaces) -> None:
    slack.chat.pieces = [ToolCall("lookup_order", '{"id": 7}'), Done("tool_calls", 1.0, 9)]
    room, ts = await mention(slack, "where is my order")
    (answer,) = await replies(slack, room, ts)
    assert "`lookup_order`" in shown(answer)
    assert '"id": 7' in shown(answer)
    assert "run nothing" in str(answer["blocks"])
    turns = await slack.store.read(lambda db: chats.turns_of(db, room, ts))
    assert turns[-1].text == 'lookup_order({"id": 7})'


async def test_waiting_for_a_new_model_is_said(slack: Surfaces) -> None:
    slack.chat.pieces = [Waiting(), Waiting(), "there"]
    room, ts = await mention(slack, "hello")
    await replies(slack, room, ts)
    said = [call["args"]["status"] for call in await slack.calls("assistant.threads.setStatus")]
    assert sum("still being loaded" in status for status in said) == 2


async def test_where_there_is_no_status_the_wait_is_said_once_to_the_person_alone(slack: Surfaces) -> None:
    await slack.control(rate_limit={"method": "assistant.threads.setStatus", "seconds": 30, "times": 9})
    slack.chat.pieces = [Waiting(), Waiting(), "there"]
    room, ts = await mention(slack, "hello")
    (answer,) = await replies(slack, room, ts)
    assert shown(answer) == "there"
    alone = [m for m in await slack.jin.messages(room) if m.get("ephemeral")]
    assert ["still being loaded" in m["text"] for m in alone] == [True]

"""An answer that was broken off says so, whichever way it was shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from handlers import halves
from storage import begun
from tests.support.outgoing import Outgoing, outgoing

ITEM = 7


@pytest.fixture
async def out(tmp_path: Path) -> AsyncGenerator[Outgoing]:
    async with outgoing(tmp_path) as found:
        yield found


@pytest.fixture
async def root(out: Outgoing) -> str:
    return await out.jin.say(out.channel(), "a question")


async def stream(out: Outgoing, root: str, text: str) -> str:
    """A stream that has begun and is on record."""
    team, user = out.house.team_id, out.world.users[0].id
    made: Any = await out.house.client.chat_startStream(
        channel=out.channel(),
        thread_ts=root,
        markdown_text=text,
        recipient_team_id=team,
        recipient_user_id=user,
    )
    await halves.keeper(out.house, out.channel(), ITEM)(str(made["ts"]))
    return str(made["ts"])


async def shown(out: Outgoing, root: str, ts: str) -> dict[str, Any]:
    return next(m for m in await out.jin.thread(out.channel(), root) if m["ts"] == ts)


async def on_record(out: Outgoing) -> bool:
    return await out.store.read(lambda db: begun.newest(db, ITEM)) is not None


@pytest.mark.parametrize("words", [halves.CUT_OFF, halves.STOPPED])
async def test_a_stream_is_closed_with_a_word(out: Outgoing, root: str, words: str) -> None:
    ts = await stream(out, root, "one two")
    await halves.close(out.house, root, ITEM, words)
    message = await shown(out, root, ts)
    assert not message.get("streaming")
    assert "one two" in str(message["blocks"])
    assert words in str(message["blocks"])
    assert not await on_record(out)


@pytest.mark.parametrize("ended", ["by Slack", "never one"])
async def test_an_answer_that_is_no_stream_any_more_is_edited_and_keeps_its_text(
    out: Outgoing, root: str, ended: str
) -> None:
    if ended == "by Slack":
        ts = await stream(out, root, "one two")
        await out.house.client.chat_stopStream(channel=out.channel(), ts=ts)
    else:
        blocks = [{"type": "markdown", "text": "one two"}]
        posted: Any = await out.house.client.chat_postMessage(
            channel=out.channel(), thread_ts=root, text="one two", blocks=blocks
        )
        ts = str(posted["ts"])
        await halves.keeper(out.house, out.channel(), ITEM)(ts)
    await halves.close(out.house, root, ITEM, halves.CUT_OFF)
    text = str((await shown(out, root, ts))["blocks"])
    assert "one two" in text
    assert halves.CUT_OFF in text


async def test_of_an_answer_in_several_messages_only_the_last_is_cut_off(out: Outgoing, root: str) -> None:
    first = await stream(out, root, "the first part")
    await out.house.client.chat_stopStream(channel=out.channel(), ts=first)
    second = await stream(out, root, "the second")
    await halves.close(out.house, root, ITEM, halves.CUT_OFF)
    assert halves.CUT_OFF not in str(await shown(out, root, first))
    assert halves.CUT_OFF in str(await shown(out, root, second))


async def test_a_half_answer_that_is_gone_stands_in_nobodys_way(out: Outgoing, root: str) -> None:
    ts = await stream(out, root, "one two")
    await out.house.client.chat_delete(channel=out.channel(), ts=ts)
    await halves.close(out.house, root, ITEM, halves.CUT_OFF)
    assert not await on_record(out)


async def test_what_cannot_be_said_at_a_stop_is_said_at_the_next_start(out: Outgoing, root: str) -> None:
    ts = await stream(out, root, "one two")
    await out.jin.ask("POST", "/control", {"rate_limit": {"method": "chat.stopStream", "seconds": 1}})
    await halves.close(out.house, root, ITEM, halves.STOPPED)
    assert await on_record(out)
    await out.jin.ask("POST", "/control", {"clear": True})
    await halves.close(out.house, root, ITEM, halves.CUT_OFF)
    assert halves.CUT_OFF in str(await shown(out, root, ts))


async def test_where_nothing_was_begun_nothing_is_said(out: Outgoing, root: str) -> None:
    await halves.close(out.house, root, ITEM, halves.CUT_OFF)
    assert len(await out.jin.thread(out.channel(), root)) == 1

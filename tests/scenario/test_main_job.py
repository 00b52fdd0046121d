"""The main job from file to answering model, over real sockets, on a 0.1 M random model."""

from __future__ import annotations

import pytest

from demo.person import words
from tests.support.workspace import WAIT, Workspace, chat_file

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_drop_is_checked_trained_scored_and_answers_in_one_channel(place: Workspace) -> None:
    channel = await place.channel()
    card = await place.start_job(channel, name="letters")
    end = await place.finished(channel, card)

    assert "validation rows" in words(end)
    thread = await place.jin.thread(channel, str(card["ts"]))
    texts = [words(m) for m in thread[1:]]
    assert sum(text.count("Epoch ") for text in texts) >= 3
    assert sum("is ready" in text for text in texts) == 1
    assert any("safety" in text.lower() for text in texts)

    name = str(card["text"]).split()[0]
    await place.jin.command(channel, f"/ft use {name}")
    asked = await place.jin.say(channel, "@ftbot Letter number 3")
    answer = await place.reply(channel, asked, name)
    assert words(answer).strip()
    again = await place.jin.say(channel, "Letter number 4", asked)

    async def second() -> bool:
        replies = await place.jin.thread(channel, asked)
        after = [m for m in replies if m["ts"] > again and "bot_id" in m and not m.get("streaming")]
        return len(after) == 1

    await place.jin.wait("an answer without a mention", second, WAIT)


async def test_every_reply_to_a_drop_stands_in_its_thread(place: Workspace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "letters.jsonl", chat_file(12, "threads"))
    await place.reply(channel, ts, "Ready to train")
    roots = await place.jin.messages(channel)
    assert [m["text"] for m in roots if "bot_id" in m and m.get("subtype") != "channel_join"] == []

    async def settled() -> bool:
        return await place.jin.reactions(channel, ts) in (["white_check_mark"], ["warning"])

    await place.jin.wait("the verdict as the only reaction", settled, WAIT)


async def test_the_same_file_again_is_checked_again_but_uploaded_once(place: Workspace) -> None:
    channel = await place.channel()
    content = chat_file(12, "twice")
    for _ in range(2):
        ts = await place.drop(channel, "twice.jsonl", content)
        await place.reply(channel, ts, "Ready to train")

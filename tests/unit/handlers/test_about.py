"""The message shortcut *About*, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from storage import rooms
from storage.chat_records import Vote
from tests.support.surfaces import Person
from tests.support.talkers import Talkers, talkers
from tests.support.waiting import until


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[Talkers]:
    async with talkers(tmp_path) as found:
        yield found


async def answered(room: Talkers, asked: str) -> tuple[str, str]:
    """The thread and the message of an answer."""
    before = {m["ts"] for m in await room.slack.jin.messages(room.secret)}
    await room.slack.jin.command(room.secret, f"/ft ask {asked}")

    async def look() -> tuple[str, str] | None:
        for root in await room.slack.jin.messages(room.secret):
            if root["ts"] in before:
                continue
            for reply in (await room.slack.jin.thread(room.secret, root["ts"]))[1:]:
                if "Hello there" in str(reply) and not reply.get("streaming"):
                    return root["ts"], reply["ts"]
        return None

    return await until(look)


async def about(room: Talkers, person: Person, channel: str, ts: str) -> str:
    body = {"callback_id": "about", "channel": channel, "message_ts": ts}
    answer = await person.ask("POST", "/shortcuts", body)
    assert answer["ok"], answer

    async def told() -> str:
        seen: list[dict[str, Any]] = [*await person.messages(channel)]
        for root in [m for m in seen if not m.get("ephemeral")]:
            seen += (await person.thread(channel, root["ts"]))[1:]
        alone = [m for m in seen if m.get("ephemeral")]
        return json.dumps(alone[-1], ensure_ascii=False) if alone else ""

    return await until(told)


async def test_an_answer_says_where_its_model_comes_from(room: Talkers) -> None:
    _, ts = await answered(room, "classified-7@1 hello")
    for user, value in (("U1", "good"), ("U2", "bad"), ("U3", "good")):
        vote = Vote(room.secret, ts, user, value, 1.0)
        await room.store.write(lambda db, vote=vote: rooms.vote(db, vote))
    words = await about(room, room.slack.jin, room.secret, ts)
    for part in (
        "classified-7", "gpt-4.1-mini-2025-04-14", "classified.jsonl v7", "1,240 rows", "ab" * 32,
        "Dropped by", "Started by", room.slack.user("jin"), "Checkpoint 1, step 1",
        "Stops answering on 14 Jan 2027", "ftjob-hidden", "ft:hidden:1", "👍 2 · 👎 1",
    ):  # fmt: skip
        assert part in words, (part, words)
    assert "$" in words


async def test_an_answer_of_a_base_was_trained_by_nobody_here(room: Talkers) -> None:
    _, ts = await answered(room, "gpt-4.1-mini hello")
    assert "gpt-4.1-mini is a base model of openai" in await about(room, room.slack.jin, room.secret, ts)


async def test_an_answer_in_direct_messages_is_told_of_until_one_leaves_the_channel(room: Talkers) -> None:
    dm = await room.dm(room.slack.jin)
    root = await room.slack.jin.say(dm, "ask classified-7 hello")

    async def there() -> str:
        found = (await room.slack.jin.thread(dm, root))[1:]
        return next((m["ts"] for m in found if "Hello there" in str(m) and not m.get("streaming")), "")

    ts = await until(there)
    await room.slack.jin.ask("POST", "/shortcuts", {"callback_id": "about", "channel": dm, "message_ts": ts})

    async def told() -> list[str]:
        seen = [*await room.slack.jin.messages(dm), *await room.slack.jin.thread(dm, root)]
        return [json.dumps(m) for m in seen if "classified.jsonl" in str(m) or "you are not in" in str(m)]

    assert "classified.jsonl" in (await until(told))[-1]
    await room.slack.jin.ask("DELETE", f"/channels/{room.secret}/members/jin")
    room.slack.house.rooms.forget(room.slack.user("jin"))
    await room.slack.jin.ask("POST", "/shortcuts", {"callback_id": "about", "channel": dm, "message_ts": ts})

    async def refused() -> bool:
        return any("you are not in" in one for one in await told())

    await until(refused)
    assert sum("classified.jsonl" in one for one in await told()) == 1


async def test_a_message_that_speaks_of_no_model_says_so(room: Talkers) -> None:
    ts = await room.slack.jin.say(room.secret, "lunch?")
    assert "speaks of no model" in await about(room, room.slack.jin, room.secret, ts)


async def test_guests_are_turned_away(room: Talkers) -> None:
    gus = await room.add("gus", guest=True)
    tuning = room.slack.channel("tuning")
    ts = await room.slack.jin.say(tuning, "lunch?")
    assert "members of this workspace" in await about(room, gus, tuning, ts)

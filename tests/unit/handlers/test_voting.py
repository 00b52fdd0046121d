"""👍 and 👎 under answers: kept, counted in About, and only for answers that are known."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from storage import chats, rooms
from storage.chat_records import Role, Turn
from tests.support.surfaces import MODEL, Person, Surfaces, surfaces
from tests.support.waiting import until
from tests.unit.handlers.test_chatting import mention, replies


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncGenerator[Surfaces]:
    async with surfaces(tmp_path) as found:
        found.chat.model = MODEL
        yield found


async def press(person: Person, channel: str, answer: dict[str, Any], value: str) -> None:
    block = next(b for b in answer["blocks"] if b["type"] == "context_actions")
    body = {
        "channel": channel,
        "message_ts": answer["ts"],
        "block_id": block["block_id"],
        "action_id": "feedback",
        "value": value,
    }
    got = await person.ask("POST", "/actions", body)
    assert got["ok"], got


async def thumbs(slack: Surfaces, good: int, bad: int) -> None:
    async def so() -> bool:
        found = await slack.store.read(lambda db: rooms.votes_for(db, MODEL.provider, MODEL.model))
        return found == (good, bad)

    await until(so)


async def test_what_people_think_of_an_answer_is_counted_and_the_last_word_counts(slack: Surfaces) -> None:
    room, ts = await mention(slack, "hello")
    (answer,) = await replies(slack, room, ts)
    await press(slack.jin, room, answer, "good")
    await thumbs(slack, 1, 0)
    await press(slack.mina, room, answer, "good")
    await thumbs(slack, 2, 0)
    await press(slack.jin, room, answer, "bad")
    await thumbs(slack, 1, 1)


async def test_a_long_answer_is_voted_on_under_its_last_message(slack: Surfaces) -> None:
    slack.chat.pieces = [f"line {i} of a long answer\n" for i in range(600)]
    room, ts = await mention(slack, "hello")
    _, last = await replies(slack, room, ts, 2)
    await press(slack.jin, room, last, "good")
    await thumbs(slack, 1, 0)


async def test_an_answer_that_is_gone_takes_no_votes(slack: Surfaces) -> None:
    room, ts = await mention(slack, "hello")
    (answer,) = await replies(slack, room, ts)
    await slack.store.write(lambda db: chats.remove_turn(db, room, answer["ts"]))
    await press(slack.jin, room, answer, "good")

    async def told() -> bool:
        seen = [*await slack.jin.messages(room), *await slack.jin.thread(room, ts)]
        return any("do not know this answer" in m["text"] for m in seen if m.get("ephemeral"))

    await until(told)
    await thumbs(slack, 0, 0)


async def test_the_answer_in_a_message_is_the_newest_that_began_before_it(slack: Surfaces) -> None:
    def look(db: Any) -> Turn | None:
        told: tuple[tuple[str, Role], ...] = (
            ("1.1", "user"),
            ("1.2", "assistant"),
            ("1.4", "user"),
            ("1.5", "assistant"),
        )
        for ts, role in told:
            chats.add_turn(db, Turn(0, "C1", "1.1", role, "x", ts, 1.0))
        return chats.answer_at(db, "C1", "1.1", "1.3")

    found = await slack.store.write(look)
    assert found is not None
    assert found.ts == "1.2"

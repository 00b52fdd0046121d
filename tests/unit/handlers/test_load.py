"""Under load: everything is acknowledged at once, people hear that they wait, nobody is starved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from handlers import inbox as door
from handlers import modals, suggestions, worker
from handlers.meters import API_CALLS
from handlers.slackclient import PacedClient
from storage import inbox, outbox
from storage.records import Notice
from storage.store import Database
from tests.faults.inside import bot_inside
from tests.support.provider import BASE
from tests.support.surfaces import MODEL, Surfaces, surfaces
from tests.support.waiting import until

MANY = 80


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncGenerator[Surfaces]:
    async with surfaces(tmp_path) as found:
        found.chat.model = MODEL
        found.chat.hold = asyncio.Event()
        yield found
        found.chat.hold.set()


async def test_all_is_acknowledged_while_every_handler_is_stuck_and_answered_once_they_go_on(
    slack: Surfaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More questions than are handled at once; none of them ends while the acknowledgements are counted."""
    monkeypatch.setattr(worker, "BUSY_AFTER", 0.1)
    monkeypatch.setattr(slack.worker, "_room", asyncio.Semaphore(4))
    await slack.control(rate_limits="off")
    room = slack.channel("tuning")
    asked = [await slack.jin.say(room, f"@ftbot question {number}") for number in range(MANY)]

    async def kept() -> bool:
        return await slack.store.read(inbox.depth) == MANY

    await until(kept, 60.0)
    await until(lambda: not slack.world.delivery._waiting, 60.0)
    assert len(slack.chat.asked) <= 4

    async def told() -> list[str]:
        return [m["text"] for m in await slack.jin.messages(room) if "I am busy" in m.get("text", "")]

    (words, *_) = await until(told, 60.0)
    assert "Yours is kept and comes in its turn." in words
    assert slack.chat.hold is not None
    slack.chat.hold.set()
    await until(lambda: {turns[0].ts for turns in slack.chat.asked} == set(asked), 120.0)


@pytest.mark.parametrize("what", ["form", "menu"])
@pytest.mark.parametrize("slacks", ["silence", "end of a connection"])
async def test_what_cannot_be_looked_up_in_time_is_acknowledged_without_it(
    slack: Surfaces, monkeypatch: pytest.MonkeyPatch, what: str, slacks: str
) -> None:
    async def never(*_: Any) -> dict[str, str]:
        if slacks == "silence":
            await asyncio.Event().wait()
        raise aiohttp.ServerDisconnectedError

    monkeypatch.setattr(door, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(modals, "errors_in", never)
    monkeypatch.setattr(suggestions, "options", never)
    desk = door.Door(slack.house, slack.worker)
    user = {"id": slack.user("jin"), "team_id": slack.house.team_id}
    view = {"id": "V1", "callback_id": "settings_form", "private_metadata": "{}", "state": {"values": {}}}
    bodies: dict[str, dict[str, Any]] = {
        "form": {"type": "view_submission", "user": user, "view": view},
        "menu": {"type": "block_suggestion", "user": user, "action_id": "x", "value": ""},
    }
    answer = await desk.keep(bodies[what])
    assert answer.status == 200


async def test_answers_by_the_address_of_a_command_take_their_turn_and_are_counted(slack: Surfaces) -> None:
    client = PacedClient(token=slack.house.bot_token, base_url=slack.house.client.base_url)
    object.__setattr__(slack.house, "client", client)
    room = slack.channel("tuning")
    taken = API_CALLS.labels("response_url", "ok")
    before = taken._value.get()
    await slack.jin.command(room, "/ft jobs")
    await until(lambda: taken._value.get() == before + 1)
    bucket = client.pace._bucket(f"#{room}")
    assert bucket._tokens < bucket.limit.size
    assert not await client.respond(f"{slack.world.base_url}/response/unknown", room, {"text": "no more"})


async def test_two_hundred_notices_do_not_keep_a_chat_answer_waiting(tmp_path: Path) -> None:
    """The whole bot: the answer is there while most of what fills the channel still waits."""
    async with bot_inside(tmp_path) as place:
        room = place.channel()
        place.provider.answer = lambda body: "a quick answer"

        def fill(db: Database) -> None:
            for number in range(200):
                body = {"text": f"news {number}"}
                outbox.add(db, Notice(f"note:{number}", "note", room, body, 1.0))
                outbox.add(db, Notice(f"other:{number}", "note", room, body, 1.0, thread=f"{number}.1"))

        await place.store.write(fill)
        ts = await place.jin.say(room, f"@ftbot ask {BASE} how are you?")
        await place.said(room, "a quick answer", ts)
        waiting, _ = await place.store.read(outbox.depth)
        assert waiting > 200


async def test_many_answers_at_once_keep_slack_s_limits_and_end_every_session(tmp_path: Path) -> None:
    """More than may stream or be edited: the rest comes whole, and Slack has nothing to refuse."""
    async with bot_inside(tmp_path) as place:
        place.provider.answer = lambda body: "a quick answer"
        rooms: list[str] = []
        for number in range(40):
            made = await place.jin.ask("POST", "/channels", {"name": f"many-{number}"})
            rooms.append(made["channel"]["id"])
            bot = place.world.me.bot_user_id
            await place.jin.ask("POST", f"/channels/{rooms[-1]}/members", {"user": bot})
        asked = [await place.jin.say(room, f"@ftbot ask {BASE} hi") for room in rooms]
        for room, ts in zip(rooms, asked, strict=True):
            await place.said(room, "a quick answer", ts)
            await place.said(room, "gpt-4.1-mini", ts)

        async def sessions() -> list[str]:
            calls = (await place.control(calls=True))["calls"]
            assert [one["method"] for one in calls if one["error"] == "ratelimited"] == []
            return [one["args"]["status"] for one in calls if one["method"] == "agents.sessions.setStatus"]

        async def ended() -> bool:
            by_stream = [
                one
                for one in (await place.control(calls=True))["calls"]
                if one["method"] == "chat.stopStream" and one["args"].get("session_status")
            ]
            said = await sessions()
            return said.count("processing") == said.count("active") + len(by_stream) > 0

        await until(ended, 60.0)

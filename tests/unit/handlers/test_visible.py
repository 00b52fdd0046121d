"""Who sees what of a private channel: its members in direct messages and Home, nobody else anywhere."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from handlers import suggestions
from handlers.answer import Call
from handlers.people import People
from handlers.verbs import VERBS, dispatch
from storage import chats
from tests.support.surfaces import Person, until
from tests.support.talkers import Talkers, talkers

MARKS = ("classified", "ft:hidden")
TYPED = ("", "classified-7", "classified-7@1", "classified-7 gpt-4.1-mini hello", "#1", "archive", "1")
MENUS = (
    "use_pick", "ask_pick", "form_first", "form_second", "job_pick", "start_pick", "cancel_pick",
    "place_pick",
)  # fmt: skip
ACTING = {"follow", "cancel", "pause", "resume"}
"""Verbs that need the engine: ``verbs/test_private.py`` has them."""


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[Talkers]:
    async with talkers(tmp_path) as found:
        yield found


async def said_to(room: Talkers, verb: str, typed: str, user: str, channel: str) -> str:
    """What a verb answers in direct messages, by word and by button, but for what was typed."""
    shown = ""
    for surface in ("mention", "action"):
        call = Call(verb, typed, user, channel, None, surface, None, is_dm=True, message_ts=None)  # type: ignore[arg-type]
        answer = await dispatch(call, room.slack.house)
        shown += json.dumps([answer.message.text, answer.message.blocks]) if answer else ""
    for word in typed.split():
        shown = shown.replace(word, "")
    return shown


async def test_no_verb_tells_somebody_who_is_not_in_the_channel(room: Talkers) -> None:
    dm, mina = await room.dm(room.slack.mina), room.slack.user("mina")
    for verb, typed in product(sorted(set(VERBS) - ACTING), TYPED):
        shown = await said_to(room, verb, typed, mina, dm)
        for mark in MARKS:
            assert mark not in shown, (verb, typed)
    posted = [call["args"] for call in await room.slack.calls("chat.postMessage")]
    assert not any(mark in json.dumps(one) for one in posted for mark in ("classified.jsonl", "ft:hidden"))


async def test_a_member_of_the_channel_is_told_in_direct_messages(room: Talkers) -> None:
    dm, jin = await room.dm(room.slack.jin), room.slack.user("jin")
    for verb, typed in (("job", "#1"), ("jobs", ""), ("use", "#1"), ("models", ""), ("use", "")):
        assert "classified-7" in await said_to(room, verb, typed, jin, dm), verb
    for action in ("form_first", "use_pick", "job_pick"):
        assert "classified-7" in json.dumps(await menu(room, room.slack.jin, action, dm)), action


async def menu(room: Talkers, person: Person, action: str, channel: str) -> Any:
    """The options of a searched menu as they are asked for in a message there."""
    user = await room.slack.jin.ask("GET", "/state")
    found = next(one for one in user["users"] if one["name"] == person.name)
    body = {
        "type": "block_suggestion",
        "action_id": action,
        "value": "",
        "channel": {"id": channel},
        "user": {"id": found["id"], "team_id": found.get("team_id", "")},
    }
    return await suggestions.options(room.slack.house, body, People(room.slack.house))


async def test_searched_menus_offer_only_what_one_may_see(room: Talkers) -> None:
    gus, eve = await room.add("gus", guest=True), await room.add("eve", stranger=True)
    tuning = room.slack.channel("tuning")
    for action, channel in product(MENUS, (tuning, "D0SOMEWHERE", "")):
        offered = json.dumps(await menu(room, room.slack.mina, action, channel))
        assert "classified" not in offered, action
        assert "secret" not in offered, action
        for person in (gus, eve):
            assert await menu(room, person, action, channel) == []
    assert "#secret" in json.dumps(await menu(room, room.slack.jin, "place_pick", ""))


async def home(person: Person) -> str:
    await person.ask("POST", "/home", {})

    async def look() -> Any:
        return (await person.ask("GET", "/home")).get("view")

    return json.dumps(await until(look))


async def test_home_shows_what_is_mine_until_i_leave_the_channel(room: Talkers) -> None:
    jin = room.slack.user("jin")
    mine = await home(room.slack.jin)
    assert "classified-7" in mine
    assert "classified.jsonl" in mine
    assert "stops on 14 Jan 2027" in mine or "Try classified-7" in mine
    assert "classified" not in await home(room.slack.mina)
    await room.slack.jin.ask("DELETE", f"/channels/{room.secret}/members/jin")
    room.slack.house.rooms.forget(jin)

    async def gone() -> bool:
        return "classified" not in await home(room.slack.jin)

    await until(gone)


async def press_in_home(person: Person, action: str, **more: Any) -> None:
    view = (await person.ask("GET", "/home"))["view"]
    block = next(
        b for b in view["blocks"] if any(e.get("action_id") == action for e in b.get("elements", []))
    )
    body = {"view_id": view["id"], "block_id": block["block_id"], "action_id": action, **more}
    answer = await person.ask("POST", "/actions", body)
    assert answer["ok"], answer


async def test_try_in_home_opens_a_thread_in_direct_messages(room: Talkers) -> None:
    await home(room.slack.jin)
    await press_in_home(room.slack.jin, f"try:{room.job.id}")
    dm = await room.dm(room.slack.jin)

    async def opened() -> str:
        return next((m["ts"] for m in await room.slack.jin.messages(dm) if "tries" in m["text"]), "")

    root = await until(opened)
    await until(lambda: begun(room, dm, root))
    await room.slack.jin.say(dm, "my card was charged twice", root)

    async def answered() -> bool:
        return "Hello there" in str(await room.slack.jin.thread(dm, root))

    await until(answered)
    assert room.provider.responses[-1]["model"] == "ft:hidden"


async def begun(room: Talkers, channel: str, thread: str) -> bool:
    return await room.store.read(lambda db: chats.get(db, channel, thread)) is not None


async def test_a_thread_with_a_private_model_ends_when_one_leaves_its_channel(room: Talkers) -> None:
    dm = await room.dm(room.slack.jin)
    root = await room.slack.jin.say(dm, "ask classified-7 hello")

    async def answers() -> int:
        return str(await room.slack.jin.thread(dm, root)).count("Hello there")

    await until(answers)
    await room.slack.jin.ask("DELETE", f"/channels/{room.secret}/members/jin")
    room.slack.house.rooms.forget(room.slack.user("jin"))
    await room.slack.jin.say(dm, "and now?", root)

    async def refused() -> bool:
        return "in no longer" in str(await room.slack.jin.thread(dm, root))

    await until(refused)
    assert len(room.provider.responses) == 1


async def test_settings_of_a_channel_open_from_home_for_its_members(room: Talkers) -> None:
    await home(room.slack.jin)
    view = (await room.slack.jin.ask("GET", "/home"))["view"]
    body = {"view_id": view["id"], "block_id": "place", "action_id": "place_pick", "value": "sec"}
    (option,) = (await room.slack.jin.ask("POST", "/options", body))["options"]
    assert option["text"]["text"] == "#secret"
    await press_in_home(room.slack.jin, "place_pick", selected_option=option)

    async def form() -> Any:
        return (await room.slack.jin.ask("GET", "/views"))["views"]

    (shown,) = await until(form)
    assert json.loads(shown["private_metadata"]) == {"channel": room.secret}


@pytest.mark.parametrize("kind", ["guest", "stranger"])
async def test_guests_and_strangers_are_turned_away_on_every_way_in(room: Talkers, kind: str) -> None:
    await room.slack.jin.ask("POST", "/channels", {"name": "shared", "is_shared": True})
    await room.slack.jin.ask("POST", "/people", {"name": "gus", kind: True})
    for user in ("ftbot", "gus"):
        await room.slack.jin.ask("POST", "/channels/shared/members", {"user": user})
    gus, shared = room.somebody("gus"), room.slack.channel("shared")
    ways: list[Any] = [gus.say(shared, "@ftbot models"), gus.say(shared, "@ftbot hello")]
    if kind == "guest":  # people of other workspaces have no slash commands of ours
        ways.append(gus.command(shared, "/ft models"))
    for way in ways:
        await way

    async def refusals() -> int:
        seen = [*await gus.messages(shared)]
        return sum("members of this workspace" in m["text"] for m in seen if m.get("ephemeral"))

    async def all_refused() -> bool:
        return await refusals() == len(ways)

    await until(all_refused)
    await gus.ask("POST", "/home", {})
    await room.slack.settled()
    assert await room.slack.calls("views.publish") == []
    assert room.provider.responses == []

"""Who sees what of a private channel: its members in direct messages and Home, nobody else anywhere."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers import actions, modals, suggestions
from handlers.answer import Call
from handlers.incoming import Incoming
from handlers.people import People
from handlers.verbs import VERBS, dispatch
from handlers.views import settings_form, start_form
from handlers.visible import Rooms, channels_for, still_in
from storage import chats, rooms
from storage.records import InboxItem
from tests.support.surfaces import Person
from tests.support.talkers import Talkers, talkers
from tests.support.waiting import until

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
        call = Call(verb, typed, user, channel, None, surface, None, is_dm=True, message_ts=None)
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
        if channel == tuning and action != "place_pick":  # what is chosen in a channel stands in it
            assert "classified" not in json.dumps(await menu(room, room.slack.jin, action, channel)), action
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


async def settings_of(room: Talkers) -> str:
    return (await room.store.read(lambda db: rooms.settings_of(db, room.secret))).notices


def quiet(room: Talkers, person: str) -> Incoming:
    """The settings form of the private channel, sent: jobs are to tell less."""
    level = {"notices": {"notices": {"type": "radio_buttons", "selected_option": {"value": "quiet"}}}}
    view = {
        "id": "V1",
        "callback_id": settings_form.CALLBACK,
        "private_metadata": json.dumps({"channel": room.secret}),
        "state": {"values": level},
    }
    return Incoming("submission", room.slack.user(person), room.secret, view=view)


async def test_a_form_stays_good_for_those_who_are_in_its_private_channel(room: Talkers) -> None:
    house, item = room.slack.house, InboxItem(0, "k", None, "submission", {}, 1.0)
    refused = await modals.errors_in(house, quiet(room, "mina"))
    assert "not in this channel any more" in str(refused)
    await modals.on_submission(house, item, quiet(room, "mina"))
    assert await settings_of(room) == "normal"
    (said,) = [call["args"] for call in await room.slack.calls("chat.postMessage")]
    assert said["channel"] == room.slack.user("mina")
    assert await modals.errors_in(house, quiet(room, "jin")) == {}
    await modals.on_submission(house, item, quiet(room, "jin"))
    assert await settings_of(room) == "quiet"


async def test_an_open_start_form_tells_nothing_to_who_has_left(
    room: Talkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []

    async def note(house: Any, view: Any, *more: str) -> None:
        shown.append(more)

    for way in ("refresh", "refuse"):
        monkeypatch.setattr(actions.start, way, note)
    view = start_form.skeleton(room.secret) | {"id": "V1", "state": {"values": {}}}
    item = InboxItem(0, "k", None, "action", {}, 1.0)
    for person in ("mina", "jin"):
        clicked = Incoming("action", room.slack.user(person), action="dataset", view=view)
        await actions.on_action(room.slack.house, item, clicked)
    words = "You are not in this channel any more, or I am not."
    assert shown == [(room.secret, words), ("dataset",)]


async def test_menus_of_a_form_of_a_private_channel_are_empty_for_who_has_left(room: Talkers) -> None:
    for person, seen in (("mina", False), ("jin", True)):
        body = {
            "type": "block_suggestion",
            "action_id": "form_first",
            "value": "",
            "view": {"private_metadata": json.dumps({"channel": room.secret})},
            "user": {"id": room.slack.user(person)},
        }
        offered = json.dumps(await suggestions.options(room.slack.house, body))
        assert ("classified" in offered) is seen


@pytest.mark.parametrize("kind", ["public", "a group", "direct"])
async def test_forms_of_places_that_nobody_is_shut_out_of_stay_good(room: Talkers, kind: str) -> None:
    made = await room.slack.jin.ask("POST", "/channels", {"name": "open", "is_private": False})
    place = {"public": made["channel"]["id"], "a group": "G0GROUP", "direct": "D0DIRECT"}[kind]
    client = AsyncMock(spec=AsyncWebClient)
    client.users_conversations.return_value = {"channels": []}
    client.conversations_info.return_value = {"channel": {"is_private": True, "is_mpim": True}}
    house = replace(
        room.slack.house, rooms=Rooms(), client=client if kind == "a group" else room.slack.house.client
    )
    assert await still_in(house, room.slack.user("mina"), str(place))


async def test_forms_of_a_public_channel_cost_one_question_whoever_sends_them(room: Talkers) -> None:
    for person in ("mina", "jin", "mina"):
        assert await still_in(room.slack.house, room.slack.user(person), room.slack.channel("tuning"))
    assert len(await room.slack.calls("conversations.info")) == 1
    assert await room.slack.calls("users.conversations") == []


async def test_while_slack_cannot_say_who_is_in_a_channel_nobody_is_told_of_it(room: Talkers) -> None:
    """A moment's fault is waited for; an installation that may never ask is told nothing."""
    dm, jin = await room.dm(room.slack.jin), room.slack.user("jin")
    await room.slack.control(fail={"method": "users.conversations", "error": "internal_error", "times": 1})
    with pytest.raises(SlackApiError):
        await channels_for(room.slack.house, jin, is_dm=True)
    await room.slack.control(fail={"method": "users.conversations", "error": "missing_scope", "times": 1})
    assert "classified" not in await said_to(room, "jobs", "", jin, dm)


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

"""What is kept, what is dropped, and when it is acknowledged."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers import inbox as way_in
from handlers.inbox import Door, sort
from handlers.verbs import VERBS
from storage import chats, inbox
from storage.chat_records import ChatThread
from storage.errors import StoreUnusable
from storage.store import Store

BOT = "U0BOT"
FILE = {"id": "F1", "name": "triage.jsonl"}
SHOT = {"id": "F2", "name": "shot.png"}


def told(event_id="Ev1", **changes):
    event = {"type": "message", "user": "U1", "channel": "C1", "ts": "1.1", "text": "hello", **changes}
    return {"type": "event_callback", "event_id": event_id, "event": event}


def kinds(body):
    return [row.said.kind for row in sort(body, BOT)]


@pytest.fixture(autouse=True)
def verbs(monkeypatch):
    for verb in ("help", "jobs"):
        monkeypatch.setitem(VERBS, verb, None)


@pytest.fixture
async def store(tmp_path):
    found = Store(tmp_path / "ftbot.db")
    yield found
    await found.close()


class Bell:
    rung = 0

    def wake(self):
        self.rung += 1


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def door(store, bell):
    return Door(cast(Any, SimpleNamespace(store=store, clock=lambda: 5.0, bot_user_id=BOT)), bell)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (told(), []),
        (told(subtype="file_share", files=[SHOT], text=""), []),
        (told(subtype="file_share", files=[FILE]), ["drop"]),
        (told(subtype="file_share", files=[FILE, SHOT], text="<@U0BOT> here you are"), ["drop"]),
        (told(subtype="file_share", files=[FILE], text="<@U0BOT> jobs"), ["drop", "message"]),
        (told(subtype="file_share", files=[SHOT], text="<@U0BOT> what is this"), ["message"]),
        (told(text="<@U0BOT> what is this"), ["message"]),
        (told(type="app_mention", text="<@U0BOT>"), ["message"]),
        (told(channel="D1", channel_type="im"), ["message"]),
        (told(channel="D1", channel_type="im", files=[SHOT], subtype="file_share", text=""), []),
        (told(channel="D1", channel_type="im", files=[{"id": "F3", "name": "a.csv"}], text=""), ["drop"]),
        (told(thread_ts="0.9"), ["message"]),
        (told(thread_ts="0.9", text="<@U2> look"), []),
        (told(type="app_home_opened", tab="home"), ["home"]),
        (told(type="app_home_opened", tab="messages"), []),
        (told(type="reaction_added"), []),
        ({"command": "/ft", "user_id": "U1", "channel_id": "C1", "trigger_id": "t"}, ["command"]),
        (
            {"type": "block_actions", "trigger_id": "t", "actions": [{"action_id": "try", "value": "1"}]},
            ["action"],
        ),
        ({"type": "view_submission", "view": {"id": "V1"}}, ["submission"]),
        ({"type": "view_closed", "view": {"id": "V1"}}, []),
    ],
)
def test_only_what_is_for_the_bot_is_kept(body, expected):
    assert kinds(body) == expected


async def waiting(store):
    return await store.read(inbox.waiting)


async def test_a_mention_told_twice_in_two_kinds_is_kept_once(door, store, bell):
    first = await door.keep(told("Ev1", type="app_mention", text="<@U0BOT> hi"))
    second = await door.keep(told("Ev2", text="<@U0BOT> hi"))
    again = await door.keep(told("Ev2", text="<@U0BOT> hi"))
    assert [first.status, second.status, again.status] == [200, 200, 200]
    assert len(await waiting(store)) == 1
    assert bell.rung == 1


async def test_a_drop_told_again_under_another_event_is_kept_once(door, store):
    await door.keep(told("Ev1", subtype="file_share", files=[FILE]))
    await door.keep(told("Ev2", subtype="file_share", files=[FILE]))
    assert len(await waiting(store)) == 1


async def test_talk_that_is_not_for_the_bot_leaves_no_trace(door, store):
    answer = await door.keep(told(text="our secret plan"))
    assert answer.status == 200
    await door.keep(told("Ev2", thread_ts="0.9", text="our secret plan", ts="1.2"))
    assert await waiting(store) == []
    assert b"secret plan" not in store.path.read_bytes()


@pytest.mark.parametrize(("active", "kept"), [(1, 1), (0, 0)])
async def test_replies_are_kept_only_in_chat_threads_that_are_active(door, store, active, kept):
    thread = ChatThread("C1", "0.9", "p", "m", "triage-1", "U1", 0.0, active=active)
    await store.write(lambda db: chats.begin(db, thread))
    await door.keep(told(thread_ts="0.9"))
    assert len(await waiting(store)) == kept


async def test_without_a_kept_row_there_is_no_acknowledgement(door, store, monkeypatch):
    def full(db, item):
        raise StoreUnusable("The disk is full.")

    monkeypatch.setattr(inbox, "put", full)
    with pytest.raises(StoreUnusable):
        await door.keep(told(text="<@U0BOT> hi"))


async def test_a_command_or_form_that_cannot_be_kept_is_answered_so_for_slack_brings_it_once(
    door, store, monkeypatch
):
    def full(db, item):
        raise StoreUnusable("The disk is full.")

    monkeypatch.setattr(inbox, "put", full)
    command = {"command": "/ft", "user_id": "U1", "channel_id": "C1", "trigger_id": "t"}
    answer = await door.keep(command)
    assert answer.status == 200
    assert "nothing was done" in json.loads(answer.body)["text"]
    view = {"id": "V1", "callback_id": "other", "state": {"values": {"name": {"name": {"value": "a"}}}}}
    answer = await door.keep({"type": "view_submission", "user": {"id": "U1"}, "view": view})
    said = json.loads(answer.body)
    assert said["response_action"] == "errors"
    assert "nothing was done" in said["errors"]["name"]
    click = {"type": "block_actions", "trigger_id": "t", "actions": [{"action_id": "try", "value": "1"}]}
    with pytest.raises(StoreUnusable):
        await door.keep(click)


async def test_a_form_of_somebody_who_is_turned_away_is_told_nothing_of_its_matter(store, bell, monkeypatch):
    async def refused(said):
        return True

    house = cast(Any, SimpleNamespace(store=store, clock=lambda: 5.0, bot_user_id=BOT))
    door = Door(house, bell, people=cast(Any, SimpleNamespace(refused=refused)))
    monkeypatch.setattr(way_in.modals.start_form, "parse", lambda view, user: {"name": "It is secret."})
    view = {"id": "V1", "callback_id": "start_form"}
    answer = await door.keep({"type": "view_submission", "user": {"id": "U1"}, "view": view})
    assert (answer.status, answer.body) == (200, "")


async def test_a_wrong_form_goes_back_with_its_errors_and_is_not_kept(door, store, monkeypatch):
    body = {
        "type": "view_submission",
        "user": {"id": "U1"},
        "view": {"id": "V1", "callback_id": "start_form"},
    }
    monkeypatch.setattr(way_in.modals.start_form, "parse", lambda view, user: {"name": "Give it a name."})
    answer = await door.keep(body)
    assert '"errors": {"name": "Give it a name."}' in answer.body
    assert await waiting(store) == []
    monkeypatch.setattr(way_in.modals.start_form, "parse", lambda view, user: SimpleNamespace())

    async def fine(*_):
        return None

    monkeypatch.setattr(way_in.modals.preparing, "refuse", fine)
    good = await door.keep(body)
    await door.keep(body)
    assert good.body == ""
    assert [item.kind for item in await waiting(store)] == ["submission"]


async def test_many_at_once_are_all_kept_in_order_of_arrival(door, store):
    await asyncio.gather(*(door.keep(told(f"Ev{i}", ts=f"{i}.1", text=f"<@U0BOT> {i}")) for i in range(50)))
    items = await waiting(store)
    assert len({replace(item, id=0).key for item in items}) == 50

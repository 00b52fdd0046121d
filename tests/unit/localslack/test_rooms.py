"""What people see and do in channels, and what the app hears of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from localslack.typed import markup
from tests.support.waiting import until

from .conftest import SCOPES, Workspace, workspace


async def test_everybody_sees_their_own_workspace(ws: Workspace) -> None:
    jin, mina = await ws.jin.get("/state"), await ws.mina.get("/state")
    names = [channel["name"] for channel in jin["channels"]]
    assert names == ["general", "tuning", "random", "lab", "ftbot"]
    assert [channel["name"] for channel in mina["channels"]] == ["general", "tuning", "random"]
    assert jin["me"]["name"] == "jin"
    assert jin["app"]["commands"][0]["command"] == "/ft"
    assert (await ws.mina.get(f"/channels/{ws.channel('lab')}/messages"))["error"] == "channel_not_found"


async def test_unread_counts_until_the_channel_is_read(ws: Workspace) -> None:
    await ws.jin.say("general", "one")
    assert (await ws.mina.get("/state"))["channels"][0]["unread"] == 1
    assert (await ws.jin.get("/state"))["channels"][0]["unread"] == 0
    await ws.mina.get("/channels/general/messages")
    assert (await ws.mina.get("/state"))["channels"][0]["unread"] == 0


async def test_messages_come_in_pages(ws: Workspace) -> None:
    for number in range(5):
        await ws.jin.say("general", str(number))
    last = await ws.jin.get("/channels/general/messages?limit=2")
    assert ([m["text"] for m in last["messages"]], last["has_more"]) == (["3", "4"], True)
    before = last["messages"][0]["ts"]
    rest = await ws.jin.get(f"/channels/general/messages?limit=3&before={before}")
    assert ([m["text"] for m in rest["messages"]], rest["has_more"]) == (["0", "1", "2"], False)


async def test_own_messages_can_be_edited_and_deleted(ws: Workspace) -> None:
    message = await ws.jin.say("general", "one")
    path = f"/channels/general/messages/{message['ts']}"
    assert (await ws.mina.ask("PATCH", path, {"text": "x"}))["error"] == "not_yours"
    changed = await ws.jin.ask("PATCH", path, {"text": "two & three"})
    assert changed["message"]["text"] == "two &amp; three"
    assert changed["message"]["edited"]["user"] == ws.user("jin")
    await ws.jin.say("general", "reply", thread_ts=message["ts"])
    await ws.jin.ask("DELETE", path)
    stone = (await ws.jin.get(f"/channels/general/threads/{message['ts']}"))["messages"]
    assert [m.get("subtype") for m in stone] == ["tombstone", None]
    subtypes = [payload["event"].get("subtype") for payload in await ws.jin.events("message")]
    assert subtypes == [None, "message_changed", None, "message_changed"]
    stone = (await ws.jin.events("message"))[-1]["event"]["message"]
    assert (stone["subtype"], stone["user"], stone["ts"]) == ("tombstone", "USLACKBOT", message["ts"])


async def test_the_last_reply_of_a_deleted_thread_takes_the_rest_with_it(ws: Workspace) -> None:
    root = await ws.jin.say("general", "one")
    reply = await ws.jin.say("general", "reply", thread_ts=root["ts"])
    for ts in (root["ts"], reply["ts"]):
        await ws.jin.ask("DELETE", f"/channels/general/messages/{ts}")
    assert (await ws.jin.get("/channels/general/messages"))["messages"] == []
    gone = [p["event"]["deleted_ts"] for p in await ws.jin.events() if "deleted_ts" in p["event"]]
    assert gone == [reply["ts"], root["ts"]]


async def test_the_app_hears_only_where_it_is(ws: Workspace) -> None:
    await ws.jin.say("random", "@ftbot are you here?")
    dm = next(c for c in (await ws.jin.get("/state"))["channels"] if c["is_im"])
    await ws.jin.say(dm["id"], "@ftbot hi")
    await ws.jin.say("lab", "secret")
    heard = [(p["event"]["type"], p["event"]["channel_type"]) for p in await ws.jin.events()]
    assert heard == [("message", "im"), ("message", "group")]


async def test_the_app_hears_only_what_it_asked_for(tmp_path: Path) -> None:
    async with workspace(tmp_path, events=["app_mention"]) as ws:
        await ws.jin.say("general", "@ftbot hi")
        assert [p["event"]["type"] for p in await ws.jin.events()] == ["app_mention"]


async def test_the_app_hears_nothing_without_the_scope_for_it(tmp_path: Path) -> None:
    scopes = [scope for scope in SCOPES if scope != "channels:history"]
    async with workspace(tmp_path, scopes=scopes) as ws:
        await ws.jin.say("general", "@ftbot hi")
        await ws.jin.say("lab", "hello")
        assert [p["event"]["type"] for p in await ws.jin.events()] == ["app_mention", "message"]


async def test_people_come_and_go(ws: Workspace) -> None:
    made = (await ws.jin.post("/channels", {"name": "new-room"}))["channel"]
    assert made["members"] == [ws.user("jin")]
    assert (await ws.jin.post("/channels", {"name": "new-room"}))["error"] == "name_taken"
    assert (await ws.jin.post("/channels", {"name": "New Room"}))["error"] == "invalid_name_specials"
    assert (await ws.mina.post("/channels/new-room/messages", {"text": "x"}))["error"] == "not_in_channel"
    await ws.mina.post("/channels/new-room/members", {"user": "mina"})
    await ws.mina.say("new-room", "x")
    await ws.jin.post("/channels/new-room/members", {"user": "ftbot"})
    await ws.mina.ask("DELETE", "/channels/new-room/members/mina")
    kinds = [p["event"]["type"] for p in await ws.jin.events()]
    assert [kind for kind in kinds if kind != "message"] == ["member_joined_channel", "member_left_channel"]


async def test_typed_text_becomes_slacks_markup(ws: Workspace) -> None:
    mina, bot, tuning = ws.user("mina"), ws.world.me.bot_user_id, ws.channel("tuning")
    typed = "@ftbot, ask @mina. in #tuning <now> https://a.test/?x=1&y=2. me@mina.test @nobody @here"
    assert markup(ws.world, typed) == (
        f"<@{bot}>, ask <@{mina}>. in <#{tuning}|tuning> &lt;now&gt; <https://a.test/?x=1&amp;y=2>."
        " me@mina.test @nobody <!here>"
    )


@pytest.mark.parametrize("extra", [{"Host": "evil.test"}, {"Origin": "http://evil.test"}])
async def test_other_web_pages_are_kept_away(ws: Workspace, extra: dict[str, str]) -> None:
    url = f"{ws.world.base_url}/ui/channels/general/messages"
    async with ws.session.post(url, json={"text": "x"}, headers=extra) as response:
        assert response.status == 403
    own = {"Origin": ws.world.base_url}
    async with ws.session.post(url, json={"text": "x"}, headers=own) as response:
        assert response.status == 200


class Listener:
    """An open ``/ui/events`` stream."""

    def __init__(self, ws: Workspace, query: str, **headers: str) -> None:
        self.events: list[tuple[int, dict[str, Any]]] = []
        self._task = asyncio.create_task(self._read(ws, query, headers))

    async def _read(self, ws: Workspace, query: str, headers: dict[str, str]) -> None:
        url = f"{ws.world.base_url}/ui/events?{query}"
        async with ws.session.get(url, headers=headers) as response:
            number = 0
            async for raw in response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("data: "):
                    self.events.append((number, json.loads(line[6:])))

    def kinds(self) -> list[str]:
        return [event["type"] for _, event in self.events]

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_changes_are_seen_live_and_resumed_without_loss(ws: Workspace) -> None:
    start = (await ws.jin.get("/state"))["event"]
    message = await ws.jin.say("general", "one")
    live = Listener(ws, f"after={start}")
    await ws.jin.post("/reactions", {"channel": "general", "ts": message["ts"], "name": "tada"})
    await until(lambda: live.kinds() == ["message", "message_changed"])
    last = live.events[-1][0]
    await live.close()
    await ws.jin.say("general", "reply", thread_ts=message["ts"])
    again = Listener(ws, "user=mina", **{"Last-Event-ID": str(last)})
    await until(lambda: again.kinds() == ["message", "message_changed"])
    assert again.events[-1][1]["message"]["reply_count"] == 1
    await again.close()


async def test_private_things_are_seen_by_their_people_only(ws: Workspace) -> None:
    mina = Listener(ws, "user=mina&after=0")
    jin = Listener(ws, "user=jin&after=0")
    await ws.jin.say("lab", "secret")
    await ws.client.chat_postEphemeral(channel=ws.channel("general"), user=ws.user("jin"), text="psst")
    await ws.jin.say("general", "open")
    await until(lambda: len(jin.events) == 3)
    await until(lambda: mina.events)
    assert jin.kinds() == ["message", "ephemeral", "message"]
    assert [event["message"]["text"] for _, event in mina.events] == ["open"]
    await jin.close()
    await mina.close()


async def test_a_stream_from_another_run_is_told_to_start_anew(ws: Workspace) -> None:
    stale = Listener(ws, "after=99999")
    await until(lambda: stale.kinds() == ["reset"])
    await stale.close()


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with workspace(tmp_path) as ws:
        message, tokens = await ws.jin.say("general", "stay"), ws.world.me
        await ws.jin.drop("tuning", "a.jsonl", b"x")
        await ws.client.views_publish(user_id=ws.user("jin"), view={"type": "home", "blocks": []})
    async with workspace(tmp_path) as ws:
        assert ws.world.me == tokens
        assert (await ws.jin.get("/channels/general/messages"))["messages"][0]["ts"] == message["ts"]
        assert (await ws.jin.get("/home"))["view"]["type"] == "home"
        assert len((await ws.jin.get("/state"))["channels"]) == 5

"""Guests, strangers in shared channels, group messages, archived channels, files that are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until

from .conftest import EVENTS, SCOPES, Person, Workspace, workspace


def somebody(ws: Workspace, name: str) -> Person:
    return Person(ws.session, ws.world.base_url, name)


async def shared_channel(ws: Workspace) -> Person:
    """#shared with Jin, the app and eve of another workspace."""
    await ws.jin.post("/channels", {"name": "shared", "is_shared": True})
    await ws.jin.post("/people", {"name": "eve", "stranger": True})
    for user in ("ftbot", "eve"):
        await ws.jin.post("/channels/shared/members", {"user": user})
    return somebody(ws, "eve")


async def code(ws: Workspace, method: str, **arguments: Any) -> str:
    answer = await ws.session.post(
        f"{ws.world.base_url}/api/{method}",
        json=arguments,
        headers={"Authorization": f"Bearer {ws.world.me.bot_token}"},
    )
    return (await answer.json()).get("error", "")


async def test_a_guest_is_marked_as_one(ws: Workspace) -> None:
    made = (await ws.jin.post("/people", {"name": "gus", "guest": True}))["user"]
    assert made["is_guest"] is True
    info = await ws.client.users_info(user=made["id"])
    assert info["user"]["is_restricted"] is True
    assert "is_stranger" not in info["user"]
    assert (await ws.jin.post("/people", {"name": "gus"}))["error"] == "name_taken"
    assert (await ws.jin.post("/people", {"name": "G us"}))["error"] == "bad_value"


async def test_a_strangers_message_names_another_team(ws: Workspace) -> None:
    eve = await shared_channel(ws)
    await eve.say("shared", "@ftbot hello")
    heard = await ws.jin.events("message")
    event = heard[-1]["event"]
    assert event["user_team"] == event["team"] != ws.world.me.team_id
    assert heard[-1]["is_ext_shared_channel"] is True
    info = await ws.client.conversations_info(channel=event["channel"])
    assert info["channel"]["is_ext_shared"] is True
    person = await ws.client.users_info(user=event["user"])
    assert person["user"]["team_id"] == event["team"]
    assert person["user"]["is_stranger"] is True


async def test_a_stranger_stays_out_of_channels_that_are_not_shared(ws: Workspace) -> None:
    await ws.jin.post("/people", {"name": "eve", "stranger": True})
    answer = await ws.jin.post("/channels/general/members", {"user": "eve"})
    assert answer["error"] == "external_user"


async def test_a_strangers_file_is_a_stub_until_it_is_asked_for(ws: Workspace) -> None:
    eve = await shared_channel(ws)
    dropped = await eve.drop("shared", "rows.jsonl", b"{}\n")
    file = (await ws.jin.events("message"))[-1]["event"]["files"][0]
    assert (file["mode"], file["file_access"]) == ("file_access", "check_file_info")
    assert (file["created"], file["user"], "url_private" in file) == (0, "", False)
    info = await ws.client.files_info(file=dropped["files"][0]["id"])
    assert (info["file"]["name"], info["file"]["mode"]) == ("rows.jsonl", "hosted")


async def test_a_vanished_file_is_a_tombstone(ws: Workspace) -> None:
    dropped = await ws.jin.drop("general", "rows.jsonl", b"{}\n", **{"as": "vanished"})
    file = dropped["files"][0]["id"]
    assert await code(ws, "files.info", file=file) == "file_deleted"
    history = await ws.client.conversations_history(channel=ws.channel("general"))
    assert history["messages"][0]["files"] == [{"id": file, "mode": "tombstone"}]
    assert [p["event"]["type"] for p in await ws.jin.events()] == ["message", "file_shared"]


async def test_a_file_can_be_deleted_by_its_owner_only(tmp_path: Path) -> None:
    async with workspace(tmp_path, events=[*EVENTS, "file_deleted"]) as ws:
        file = (await ws.jin.drop("general", "rows.jsonl", b"{}\n"))["files"][0]["id"]
        assert (await ws.mina.ask("DELETE", f"/files/{file}"))["error"] == "not_yours"
        await ws.jin.ask("DELETE", f"/files/{file}")
        assert (await ws.jin.ask("DELETE", f"/files/{file}"))["error"] == "file_not_found"
        (event,) = await ws.jin.events("file_deleted")
        assert event["event"]["file_id"] == file
        shown = (await ws.jin.get("/channels/general/messages"))["messages"][0]
        assert shown["files"][0]["mode"] == "tombstone"


async def test_lost_bytes_answer_404(ws: Workspace) -> None:
    file = (await ws.jin.drop("general", "rows.jsonl", b"{}\n", **{"as": "lost"}))["files"][0]["id"]
    info = await ws.client.files_info(file=file)
    headers = {"Authorization": f"Bearer {ws.world.me.bot_token}"}
    async with ws.session.get(info["file"]["url_private_download"], headers=headers) as answer:
        assert answer.status == 404


async def test_snippets_links_and_hidden_files_say_so(ws: Workspace) -> None:
    found: dict[str, Any] = {}
    for kind in ("snippet", "external", "hidden_by_limit"):
        await ws.jin.drop("general", "a.jsonl", b"{}\n", **{"as": kind})
        found[kind] = (await ws.jin.events("message"))[-1]["event"]["files"][0]
    assert {kind: file["mode"] for kind, file in found.items()} == {kind: kind for kind in found}
    assert (found["snippet"]["filetype"], found["snippet"]["mimetype"]) == ("text", "text/plain")
    assert found["external"]["is_external"] is True
    assert "url_private_download" not in found["external"]
    assert set(found["hidden_by_limit"]) == {"id", "mode"}
    assert (await ws.jin.drop("general", "a", b"x", **{"as": "hologram"}))["error"] == "bad_value"


async def test_a_group_message_is_heard_and_answered(tmp_path: Path) -> None:
    scopes = [*SCOPES, "mpim:history", "mpim:read", "mpim:write"]
    async with workspace(tmp_path, scopes=scopes, events=[*EVENTS, "message.mpim"]) as ws:
        made = (await ws.jin.post("/dm", {"users": ["mina", "ftbot"]}))["channel"]
        assert (made["is_mpim"], made["is_im"]) == (True, False)
        assert (await ws.mina.post("/dm", {"users": ["jin", "ftbot"]}))["channel"]["id"] == made["id"]
        await ws.mina.say(made["id"], "hello you two")
        event = (await ws.jin.events("message"))[-1]["event"]
        assert (event["channel_type"], event["channel"]) == ("mpim", made["id"])
        await ws.client.chat_postMessage(channel=made["id"], text="hi")
        listed = await ws.client.users_conversations(types="mpim")
        assert [channel["is_mpim"] for channel in listed["channels"]] == [True]
        people = f"{ws.user('jin')},{ws.user('mina')}"
        assert (await ws.client.conversations_open(users=people))["channel"]["id"] == made["id"]
        assert len((await ws.client.conversations_history(channel=made["id"]))["messages"]) == 2


async def test_group_messages_need_their_scopes(ws: Workspace) -> None:
    made = (await ws.jin.post("/dm", {"users": ["mina", "ftbot"]}))["channel"]
    assert await code(ws, "conversations.history", channel=made["id"]) == "missing_scope"
    people = f"{ws.user('jin')},{ws.user('mina')}"
    assert await code(ws, "conversations.open", users=people) == "missing_scope"


@pytest.mark.parametrize(("private", "kind"), [(False, "channel"), (True, "group")])
async def test_an_archived_channel_takes_no_more_until_it_is_open_again(
    tmp_path: Path, private: bool, kind: str
) -> None:
    events = [*EVENTS, f"{kind}_archive", f"{kind}_unarchive"]
    async with workspace(tmp_path, events=events) as ws:
        made = (await ws.jin.post("/channels", {"name": "old", "is_private": private}))["channel"]["id"]
        await ws.jin.post("/channels/old/members", {"user": "ftbot"})
        await ws.jin.post("/channels/old/archive")
        assert (await ws.jin.post("/channels/old/messages", {"text": "x"}))["error"] == "is_archived"
        assert (await ws.jin.drop("old", "a", b"x"))["error"] == "is_archived"
        assert (await ws.jin.post("/channels/old/archive"))["error"] == "already_archived"
        assert await code(ws, "chat.postMessage", channel=made, text="x") == "is_archived"
        await ws.jin.post("/channels/old/archive", {"archived": False})
        await ws.client.chat_postMessage(channel=made, text="x")
        kinds = [p["event"]["type"] for p in await ws.jin.events() if "archive" in p["event"]["type"]]
        assert kinds == [f"{kind}_archive", f"{kind}_unarchive"]
        assert (await ws.jin.post("/channels/general/archive"))["error"] == "cant_archive_general"


async def test_each_event_reaches_one_of_two_connected_apps(ws: Workspace) -> None:
    heard: dict[int, list[str]] = {0: [], 1: []}

    def listener(number: int) -> Any:
        def setup(app: Any) -> None:
            @app.event("message")
            async def message(event: dict[str, Any]) -> None:
                heard[number].append(event["text"])

        return setup

    async with ws.app(listener(0)), ws.app(listener(1)):
        await until(lambda: len(ws.world.delivery.wires) == 2)
        for number in range(6):
            await ws.jin.say("general", str(number))
        await until(lambda: len(heard[0]) + len(heard[1]) == 6)
    assert sorted(heard[0] + heard[1]) == [str(number) for number in range(6)]
    assert heard[0]
    assert heard[1]


async def test_opening_the_apps_messages_is_told_as_that(ws: Workspace) -> None:
    await ws.jin.post("/home", {"tab": "messages"})
    (opened,) = await ws.jin.events("app_home_opened")
    assert opened["event"]["tab"] == "messages"
    assert "view" not in opened["event"]
    assert (await ws.jin.post("/home", {"tab": "attic"}))["error"] == "bad_value"

"""What the Web API accepts, refuses and answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.contract.slack_spec import problems
from tests.support.waiting import until

from .conftest import SCOPES, Workspace, workspace


async def refused(ws: Workspace, method: str, token: str | None = None, **args: Any) -> dict[str, Any]:
    """The answer of a call that must fail."""
    headers = {"Authorization": f"Bearer {token or ws.world.me.bot_token}"}
    async with ws.session.post(f"{ws.world.base_url}/api/{method}", json=args, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
    assert answer["ok"] is False, answer
    return answer


async def error(ws: Workspace, method: str, **args: Any) -> str:
    return (await refused(ws, method, **args))["error"]


async def test_tokens_are_checked(ws: Workspace) -> None:
    async with ws.session.post(f"{ws.world.base_url}/api/auth.test") as response:
        assert (await response.json())["error"] == "not_authed"
    assert (await refused(ws, "auth.test", token="xoxb-other"))["error"] == "invalid_auth"
    assert await error(ws, "apps.connections.open") == "not_allowed_token_type"
    assert (await refused(ws, "auth.test", token=ws.world.me.app_token))["error"] == "not_allowed_token_type"
    assert await error(ws, "no.such.method") == "unknown_method"


async def test_unknown_missing_and_wrong_arguments_are_named(ws: Workspace) -> None:
    answer = await refused(ws, "chat.postMessage", text="x", chanel="C1", blocks="{")
    assert answer["error"] == "invalid_arguments"
    messages = "\n".join(answer["response_metadata"]["messages"])
    assert "unknown argument: chanel" in messages
    assert "missing required field: channel" in messages
    assert "/blocks" in messages


async def test_arguments_may_come_as_query_form_or_json(ws: Workspace) -> None:
    url, channel = f"{ws.world.base_url}/api", ws.channel("general")
    headers = {"Authorization": f"Bearer {ws.world.me.bot_token}"}
    async with ws.session.get(f"{url}/conversations.info?channel={channel}", headers=headers) as response:
        assert (await response.json())["channel"]["name"] == "general"
    form = {"token": ws.world.me.bot_token, "channel": channel, "text": "x", "mrkdwn": "1", "blocks": "[]"}
    async with ws.session.post(f"{url}/chat.postMessage", data=form) as response:
        assert (await response.json())["ok"]
    async with ws.session.post(f"{url}/auth.test", data=b"[]", headers=_json(headers)) as response:
        assert (await response.json())["error"] == "json_not_object"


def _json(headers: dict[str, str]) -> dict[str, str]:
    return headers | {"Content-Type": "application/json; charset=utf-8"}


async def test_a_missing_scope_says_which_one(tmp_path: Path) -> None:
    scopes = [scope for scope in SCOPES if scope != "reactions:write"]
    async with workspace(tmp_path, scopes=scopes) as ws:
        answer = await refused(
            ws, "reactions.add", channel=ws.channel("general"), name="eyes", timestamp="1.1"
        )
    assert answer["error"] == "missing_scope"
    assert answer["needed"] == "reactions:write"
    assert "chat:write" in answer["provided"]


async def test_places_where_the_bot_is_not_are_closed_to_it(ws: Workspace) -> None:
    private = (await ws.mina.post("/channels", {"name": "secret", "is_private": True}))["channel"]["id"]
    assert await error(ws, "chat.postMessage", channel=ws.channel("random"), text="x") == "not_in_channel"
    assert await error(ws, "chat.postMessage", channel=private, text="x") == "channel_not_found"
    assert await error(ws, "conversations.history", channel=ws.channel("random")) == "not_in_channel"
    assert await error(ws, "conversations.info", channel=private) == "channel_not_found"
    dropped = await ws.mina.drop(private, "a.txt", b"x")
    assert await error(ws, "files.info", file=dropped["files"][0]["id"]) == "file_not_found"
    await ws.client.conversations_join(channel=ws.channel("random"))
    await ws.client.chat_postMessage(channel=ws.channel("random"), text="x")


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({}, "no_text"),
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"markdown_text": "b" * 12_001}, "msg_too_long"),
        ({"text": "a", "blocks": [{"type": "nonsense"}]}, "invalid_blocks"),
        ({"text": "a", "blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"text": "a", "metadata": {"type": "x"}}, "invalid_metadata_format"),
        ({"text": "a", "metadata": {"event_type": "x"}}, "invalid_metadata_schema"),
        ({"text": "a", "thread_ts": "1.1"}, "thread_not_found"),
        ({"text": "a", "username": "someone"}, "missing_scope"),
        ({"text": "a", "channel": "C0NOSUCH"}, "channel_not_found"),
    ],
)
async def test_a_message_that_slack_would_refuse_is_refused(ws: Workspace, args: Any, code: str) -> None:
    assert await error(ws, "chat.postMessage", **({"channel": ws.channel("general")} | args)) == code


async def test_too_much_text_in_blocks_is_refused(ws: Workspace) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}
    args = {"channel": ws.channel("general"), "text": "a", "blocks": [block] * 5}
    assert await error(ws, "chat.postMessage", **args) == "msg_blocks_too_long"


async def test_a_very_long_text_is_cut_with_a_warning(ws: Workspace) -> None:
    answer = await ws.client.chat_postMessage(channel=ws.channel("general"), text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(answer["message"]["text"]) == 40_000


async def test_own_messages_can_be_changed_and_deleted_and_others_not(ws: Workspace) -> None:
    channel = ws.channel("general")
    ts = (await ws.client.chat_postMessage(channel=channel, text="one"))["ts"]
    theirs = (await ws.jin.say("general", "mine"))["ts"]
    assert (await ws.client.chat_update(channel=channel, ts=str(ts), text="two"))["text"] == "two"
    assert await error(ws, "chat.update", channel=channel, ts=ts, text="x" * 4001) == "msg_too_long"
    assert await error(ws, "chat.update", channel=channel, ts="1.1", text="x") == "message_not_found"
    assert await error(ws, "chat.update", channel=channel, ts=theirs, text="x") == "cant_update_message"
    assert await error(ws, "chat.delete", channel=channel, ts=theirs) == "cant_delete_message"
    await ws.client.chat_delete(channel=channel, ts=str(ts))
    assert await error(ws, "chat.update", channel=channel, ts=ts, text="x") == "message_not_found"


async def test_metadata_comes_back_when_asked_for(ws: Workspace) -> None:
    channel = ws.channel("general")
    metadata = {"event_type": "notice", "event_payload": {"id": "n1"}}
    posted = await ws.client.chat_postMessage(channel=channel, text="root", metadata=metadata)
    ts = str(posted["ts"])
    asked = await ws.client.conversations_replies(channel=channel, ts=ts, include_all_metadata=True)
    plain = await ws.client.conversations_replies(channel=channel, ts=ts)
    assert asked["messages"][0]["metadata"] == metadata
    assert "metadata" not in plain["messages"][0]
    assert await error(ws, "conversations.replies", channel=channel, ts="1.1") == "thread_not_found"


async def test_history_has_roots_only_and_pages(ws: Workspace) -> None:
    channel = ws.channel("general")
    stamps = [str((await ws.client.chat_postMessage(channel=channel, text=f"m{n}"))["ts"]) for n in range(3)]
    await ws.client.chat_postMessage(channel=channel, text="reply", thread_ts=stamps[0])
    first = await ws.client.conversations_history(channel=channel, limit=2)
    assert [m["ts"] for m in first["messages"]] == stamps[:0:-1]
    rest = await ws.client.conversations_history(
        channel=channel, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [m["ts"] for m in rest["messages"]] == [stamps[0]]
    assert rest["messages"][0]["reply_count"] == 1
    newer = await ws.client.conversations_history(channel=channel, oldest=stamps[1])
    assert [m["ts"] for m in newer["messages"]] == [stamps[2]]
    with_it = await ws.client.conversations_history(channel=channel, oldest=stamps[1], inclusive=True)
    assert [m["ts"] for m in with_it["messages"]] == [stamps[2], stamps[1]]
    assert await error(ws, "conversations.history", channel=channel, cursor="!") == "invalid_cursor"


async def test_a_reaction_counts_once(ws: Workspace) -> None:
    channel, message = ws.channel("general"), await ws.jin.say("general", "look")
    args = {"channel": channel, "name": "eyes", "timestamp": message["ts"]}
    await ws.client.reactions_add(**args)
    assert await error(ws, "reactions.add", **args) == "already_reacted"
    shown = (await ws.jin.get(f"/channels/{channel}/messages"))["messages"][0]["reactions"]
    assert shown == [{"name": "eyes", "count": 1, "users": [ws.world.me.bot_user_id]}]
    await ws.client.reactions_remove(**args)
    assert await error(ws, "reactions.remove", **args) == "no_reaction"
    assert await error(ws, "reactions.add", **(args | {"name": "no such!"})) == "invalid_name"


async def test_too_many_messages_in_a_channel_are_held_back(ws: Workspace) -> None:
    channel = ws.channel("general")
    with pytest.raises(SlackApiError) as caught:
        await _flood(ws, channel, 40)
    assert len((await ws.client.conversations_history(channel=channel))["messages"]) >= 10
    assert caught.value.response.status_code == 429
    assert int(caught.value.response.headers["Retry-After"]) >= 1


async def _flood(ws: Workspace, channel: str, count: int) -> None:
    for number in range(count):
        await ws.client.chat_postMessage(channel=channel, text=str(number))


async def test_a_rate_limit_can_be_ordered(ws: Workspace) -> None:
    await ws.jin.post("/control", {"rate_limit": {"method": "auth.test", "seconds": 7, "times": 1}})
    with pytest.raises(SlackApiError) as caught:
        await ws.client.auth_test()
    assert caught.value.response["error"] == "ratelimited"
    assert caught.value.response.headers["Retry-After"] == "7"
    await ws.client.auth_test()
    assert [call["error"] for call in await ws.jin.calls("auth.test")] == ["ratelimited", None]


async def test_a_method_has_a_budget_each_minute(ws: Workspace) -> None:
    for _ in range(24):
        await ws.client.users_list()
    assert await error(ws, "users.list") == "ratelimited"
    await ws.jin.post("/control", {"rate_limits": "off"})
    await ws.client.users_list()


async def test_an_ephemeral_message_is_for_one_person(ws: Workspace) -> None:
    channel = ws.channel("general")
    answer = await ws.client.chat_postEphemeral(channel=channel, user=ws.user("jin"), text="psst")
    mine = (await ws.jin.get(f"/channels/{channel}/messages"))["messages"]
    assert mine[-1]["ephemeral"] is True
    assert (await ws.mina.get(f"/channels/{channel}/messages"))["messages"] == []
    assert (await ws.client.conversations_history(channel=channel))["messages"] == []
    ts = answer["message_ts"]
    assert await error(ws, "chat.update", channel=channel, ts=ts, text="x") == "message_not_found"
    lab = ws.channel("lab")
    assert await error(ws, "chat.postEphemeral", channel=lab, user=ws.user("mina"), text="x") == (
        "user_not_in_channel"
    )


async def test_a_direct_message_is_opened_once(ws: Workspace) -> None:
    first = await ws.client.conversations_open(users=ws.user("mina"))
    second = await ws.client.conversations_open(users=ws.user("mina"))
    assert first["channel"]["id"] == second["channel"]["id"]
    assert second["already_open"] is True
    posted = await ws.client.chat_postMessage(channel=ws.user("mina"), text="hello")
    assert posted["channel"] == first["channel"]["id"]


async def test_answers_have_slacks_keys_and_types(ws: Workspace) -> None:
    client, channel = ws.client, ws.channel("general")
    await ws.jin.drop("general", "a.csv", b"x,y\n1,2\n")
    root = str((await client.chat_postMessage(channel=channel, text="root"))["ts"])
    await client.chat_postMessage(channel=channel, markdown_text="**x**", thread_ts=root)
    await client.chat_update(channel=channel, ts=root, text="changed")
    await client.chat_getPermalink(channel=channel, message_ts=root)
    await client.chat_postEphemeral(channel=channel, user=ws.user("jin"), text="x")
    await client.reactions_add(channel=channel, name="eyes", timestamp=root)
    await client.reactions_get(channel=channel, timestamp=root)
    await client.reactions_remove(channel=channel, name="eyes", timestamp=root)
    await client.conversations_info(channel=channel, include_num_members=True)
    await client.conversations_history(channel=channel)
    await client.conversations_replies(channel=channel, ts=root, include_all_metadata=True)
    await client.conversations_members(channel=channel)
    await client.conversations_list(types="public_channel,private_channel,im")
    await client.conversations_open(users=ws.user("jin"), return_im=True)
    await client.conversations_join(channel=channel)
    await client.users_conversations(types="public_channel,private_channel,im")
    await client.users_info(user=ws.user("jin"))
    await client.users_list()
    await client.team_info()
    await client.bots_info(bot=ws.world.me.bot_id)
    await client.auth_test()
    await client.assistant_threads_setStatus(channel_id=channel, thread_ts=root, status="is thinking")
    await client.files_upload_v2(filename="a.png", content=b"x", channel=channel)
    uploaded = (await ws.jin.calls("files.completeUploadExternal"))[0]["answer"]["files"][0]["id"]
    await until(lambda: _processed(ws, uploaded))
    await client.files_info(file=uploaded)
    await client.files_list(channel=channel)
    await client.files_delete(file=uploaded)
    await client.views_publish(user_id=ws.user("jin"), view={"type": "home", "blocks": []})
    await ws.client_with(ws.world.me.app_token).apps_connections_open(app_token=ws.world.me.app_token)
    await client.chat_delete(channel=channel, ts=root)
    calls = await ws.jin.calls()
    assert [call for call in calls if not call["ok"]] == []
    assert [(c["method"], found) for c in calls if (found := problems(c["method"], c["answer"]))] == []


async def _processed(ws: Workspace, file_id: str) -> bool:
    file = (await ws.client.files_info(file=file_id))["file"]
    return bool(file["mimetype"] and file["shares"])


async def test_an_archived_channel_takes_no_messages(ws: Workspace) -> None:
    channel = ws.world.channel(ws.channel("general"))
    message = await ws.jin.say("general", "last words")
    ws.world.store.save_channel(replace(channel, is_archived=True))
    assert await error(ws, "chat.postMessage", channel=channel.id, text="x") == "is_archived"
    args = {"channel": channel.id, "name": "eyes", "timestamp": message["ts"]}
    assert await error(ws, "reactions.add", **args) == "is_archived"

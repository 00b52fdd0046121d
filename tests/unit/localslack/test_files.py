"""Files: dropped by people, uploaded by the app, downloaded, shown."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp

from tests.support.waiting import until

from .conftest import Workspace
from .test_webapi import error

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def picture(file_id: str) -> dict[str, Any]:
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": "a curve"}


async def upload(ws: Workspace, name: str, content: bytes, **place: Any) -> str:
    """The three steps of an app's upload; the file's id."""
    ticket = await ws.client.files_getUploadURLExternal(filename=name, length=len(content))
    async with ws.session.post(ticket["upload_url"], data=content) as response:
        assert response.status == 200
    files = [{"id": ticket["file_id"], "title": name}]
    await ws.client.files_completeUploadExternal(files=files, **place)
    return ticket["file_id"]


async def ready(ws: Workspace, file_id: str) -> bool:
    return bool((await ws.client.files_info(file=file_id))["file"]["mimetype"])


async def test_a_picture_can_be_shown_only_when_it_is_processed(ws: Workspace) -> None:
    file_id, channel = await upload(ws, "loss.png", PNG), ws.channel("general")
    message = {"channel": channel, "text": "loss", "blocks": [picture(file_id)]}
    assert await error(ws, "chat.postMessage", **message) == "invalid_blocks"
    await until(lambda: ready(ws, file_id))
    await ws.client.chat_postMessage(**message)
    shown = (await ws.jin.get("/channels/general/messages"))["messages"][-1]["blocks"][0]
    async with ws.session.get(ws.world.base_url + shown["image_url"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", PNG)


async def test_only_pictures_that_the_bot_may_see_can_be_shown(ws: Workspace) -> None:
    text = await upload(ws, "a.txt", b"x")
    theirs = (await ws.jin.drop("random", "b.png", PNG))["files"][0]["id"]
    await until(lambda: ready(ws, text))
    for file_id in (text, theirs, "F0NOSUCH"):
        args = {"channel": ws.channel("general"), "text": "x", "blocks": [picture(file_id)]}
        assert await error(ws, "chat.postMessage", **args) == "invalid_blocks"


async def test_an_upload_is_shown_in_its_thread_a_moment_later(ws: Workspace) -> None:
    root = await ws.jin.say("tuning", "run")
    channel = ws.channel("tuning")
    await upload(ws, "r.csv", b"a,b\n", channel_id=channel, thread_ts=root["ts"], initial_comment="results")
    answer = (await ws.jin.calls("files.completeUploadExternal"))[0]["answer"]["files"][0]
    assert (answer["shares"], answer["mimetype"]) == ({}, "")
    thread = await until(lambda: _thread(ws, root["ts"]))
    assert thread[1]["text"] == "results"
    assert thread[1]["files"][0]["name"] == "r.csv"
    info = (await ws.client.files_info(file=answer["id"]))["file"]
    assert info["shares"]["public"][channel][0]["thread_ts"] == root["ts"]


async def _thread(ws: Workspace, ts: str) -> Any:
    found = (await ws.jin.get(f"/channels/tuning/threads/{ts}"))["messages"]
    return found if len(found) > 1 else None


async def test_uploads_are_refused_as_slack_refuses_them(ws: Workspace) -> None:
    assert await error(ws, "files.getUploadURLExternal", filename="a", length=0) == "invalid_arguments"
    ticket = await ws.client.files_getUploadURLExternal(filename="a", length=3)
    files = [{"id": ticket["file_id"]}]
    assert await error(ws, "files.completeUploadExternal", files=files) == "file_not_found"
    async with ws.session.post(ticket["upload_url"], data=b"abc") as response:
        assert await response.text() == "OK - 3"
    place = {"files": files, "channel_id": ws.channel("random")}
    assert await error(ws, "files.completeUploadExternal", **place) == "not_in_channel"
    theirs = (await ws.jin.drop("general", "b.txt", b"x"))["files"][0]["id"]
    assert await error(ws, "files.delete", file=theirs) == "cant_delete_file"


async def test_a_deleted_file_is_gone(ws: Workspace) -> None:
    file_id = await upload(ws, "a.txt", b"x")
    url = (await ws.client.files_info(file=file_id))["file"]["url_private_download"]
    await ws.client.files_delete(file=file_id)
    assert await error(ws, "files.info", file=file_id) == "file_deleted"
    headers = {"Authorization": f"Bearer {ws.world.me.bot_token}"}
    async with ws.session.get(url, headers=headers) as response:
        assert await response.read() != b"x"


async def test_a_drop_may_claim_another_size_and_host(ws: Workspace) -> None:
    dropped = await ws.jin.drop(
        "tuning", "a.jsonl", b"x", claim_size=str(2 * 10**9), claim_host="files.evil.test"
    )
    file = (await ws.client.files_info(file=dropped["files"][0]["id"]))["file"]
    assert file["size"] == 2 * 10**9
    assert file["url_private_download"].startswith("https://files.evil.test/")


async def test_several_files_make_one_message_and_an_event_each(ws: Workspace) -> None:
    form = aiohttp.FormData()
    for name in ("a.jsonl", "b.jsonl"):
        form.add_field("file", b"{}", filename=name)
    answer = await ws.jin.ask("POST", "/channels/tuning/files", form)
    assert [file["name"] for file in answer["message"]["files"]] == ["a.jsonl", "b.jsonl"]
    shared = await ws.jin.events("file_shared")
    assert {payload["event"]["file_id"] for payload in shared} == {file["id"] for file in answer["files"]}
    messages = await ws.jin.events("message")
    assert [payload["event"]["subtype"] for payload in messages] == ["file_share"]

"""Files given in a form."""

from __future__ import annotations

from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp

from tests.support.waiting import until

from .conftest import Person, Workspace


def form(**element: Any) -> dict[str, Any]:
    field = {"type": "file_input", "action_id": "f", **element}
    block = {
        "type": "input",
        "block_id": "b",
        "label": {"type": "plain_text", "text": "Rows"},
        "element": field,
    }
    title = {"type": "plain_text", "text": "Form"}
    return {"type": "modal", "callback_id": "form", "title": title, "submit": title, "blocks": [block]}


def listeners(view: dict[str, Any], sent: list[dict[str, Any]]) -> Any:
    def setup(app: AsyncApp) -> None:
        @app.command("/ft")
        async def command(ack: Any, body: dict[str, Any], client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=view)

        @app.view("form")
        async def submitted(ack: Any, view: dict[str, Any]) -> None:
            await ack()
            sent.append(view["state"]["values"]["b"]["f"])

    return setup


async def upload(person: Person, name: str, content: bytes) -> dict[str, Any]:
    data = aiohttp.FormData()
    data.add_field("file", content, filename=name)
    return (await person.ask("POST", "/files", data))["files"][0]


async def opened(ws: Workspace) -> str:
    await ws.jin.post("/commands", {"channel": "general", "text": "/ft"})
    views = await until(lambda: ws.world.windows.stack(ws.user("jin")))
    return views[-1].id


def values(*files: dict[str, Any]) -> dict[str, Any]:
    given = {"type": "file_input", "files": [{"id": file["id"]} for file in files]}
    return {"values": {"b": {"f": given}}}


async def test_the_app_gets_the_file_and_may_read_it(ws: Workspace) -> None:
    sent: list[dict[str, Any]] = []
    async with ws.app(listeners(form(filetypes=["jsonl"]), sent)):
        view = await opened(ws)
        file = await upload(ws.jin, "rows.jsonl", b"{}\n")
        answer = await ws.session.get(
            f"{ws.world.base_url}/api/files.info?file={file['id']}", headers=_bot(ws)
        )
        assert (await answer.json())["error"] == "file_not_found"
        assert (await ws.jin.post(f"/views/{view}/submit", values(file)))["closed"] is True
    assert sent[0]["files"][0]["name"] == "rows.jsonl"
    async with ws.session.get(sent[0]["files"][0]["url_private_download"], headers=_bot(ws)) as got:
        assert await got.read() == b"{}\n"


def _bot(ws: Workspace) -> dict[str, str]:
    return {"Authorization": f"Bearer {ws.world.me.bot_token}"}


async def test_wrong_files_are_refused_at_their_field(ws: Workspace) -> None:
    async with ws.app(listeners(form(filetypes=["jsonl"], max_files=1), [])):
        view = await opened(ws)
        path = f"/views/{view}/submit"
        assert (await ws.jin.post(path, values()))["errors"] == {"b": "Please complete this required field."}
        text = await upload(ws.jin, "rows.txt", b"x")
        assert "not of the types jsonl" in (await ws.jin.post(path, values(text)))["errors"]["b"]
        rows = await upload(ws.jin, "rows.jsonl", b"x")
        assert "at most 1 file" in (await ws.jin.post(path, values(rows, rows)))["errors"]["b"]
        theirs = await upload(ws.mina, "rows.jsonl", b"x")
        assert (await ws.jin.post(path, values(theirs)))["error"] == "file_not_found"

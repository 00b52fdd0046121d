"""A real Bolt app in Socket Mode against the workspace."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from tests.support.waiting import until

from .conftest import Workspace

MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "form",
    "title": {"type": "plain_text", "text": "Start"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": [
        {
            "type": "input",
            "block_id": "epochs",
            "label": {"type": "plain_text", "text": "Epochs"},
            "element": {
                "type": "number_input",
                "is_decimal_allowed": False,
                "action_id": "n",
                "min_value": "1",
            },
        }
    ],
}
BUTTON: dict[str, Any] = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "go", "value": "v1", "text": {"type": "plain_text", "text": "Go"}}
    ],
}


async def test_a_message_is_heard_and_answered_in_its_thread(ws: Workspace) -> None:
    def setup(app: AsyncApp) -> None:
        @app.message("hello")
        async def hello(message: dict[str, Any], say: Any) -> None:
            await say(text=f"hi <@{message['user']}>", thread_ts=message["ts"])

    async with ws.app(setup):
        posted = await ws.jin.say("general", "hello there")
        path = f"/channels/general/threads/{posted['ts']}"
        thread = await until(lambda: _longer(ws, path, 1))
        assert thread[1]["text"] == f"hi <@{ws.user('jin')}>"
        assert thread[1]["bot_id"] == ws.world.me.bot_id
        assert thread[0]["reply_count"] == 1


async def _longer(ws: Workspace, path: str, count: int) -> Any:
    messages = (await ws.jin.get(path))["messages"]
    return messages if len(messages) > count else None


async def test_a_mention_comes_as_two_events_with_their_own_ids(ws: Workspace) -> None:
    heard: list[dict[str, Any]] = []

    def setup(app: AsyncApp) -> None:
        @app.event("app_mention")
        async def mention(body: dict[str, Any]) -> None:
            heard.append(body)

        @app.event("message")
        async def message(body: dict[str, Any]) -> None:
            heard.append(body)

    async with ws.app(setup):
        await ws.jin.say("general", "@ftbot jobs & more")
        await until(lambda: len(heard) == 2)
    assert {body["event"]["type"] for body in heard} == {"app_mention", "message"}
    assert heard[0]["event_id"] != heard[1]["event_id"]
    assert heard[0]["event"]["text"] == f"<@{ws.world.me.bot_user_id}> jobs &amp; more"
    assert heard[0]["authorizations"][0]["is_bot"] is True


async def test_a_command_opens_a_form_that_can_be_sent(ws: Workspace) -> None:
    sent: list[Any] = []

    def setup(app: AsyncApp) -> None:
        @app.command("/ft")
        async def ft(ack: Any, body: dict[str, Any], client: Any) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        @app.view("form")
        async def form(ack: Any, view: dict[str, Any]) -> None:
            value = view["state"]["values"]["epochs"]["n"]["value"]
            if value == "13":
                await ack(response_action="errors", errors={"epochs": "not 13"})
                return
            await ack()
            sent.append(value)

    async with ws.app(setup):
        assert (await ws.jin.post("/commands", {"channel": "tuning", "text": "/ft start"}))["ok"]
        views = await until(lambda: _views(ws))
        path = f"/views/{views[-1]['id']}/submit"
        empty = await ws.jin.post(path, {"values": {}})
        assert empty["errors"] == {"epochs": "Please complete this required field."}
        low = await ws.jin.post(path, {"values": {"epochs": {"n": {"value": "0"}}}})
        assert low["errors"] == {"epochs": "Enter a number of at least 1."}
        refused = await ws.jin.post(path, {"values": {"epochs": {"n": {"value": "13"}}}})
        assert refused["error"] == "invalid"
        assert refused["errors"] == {"epochs": "not 13"}
        assert (await ws.jin.post(path, {"values": {"epochs": {"n": {"value": "3"}}}}))["closed"]
        await until(lambda: sent == ["3"])
        assert (await ws.jin.get("/views"))["views"] == []


async def _views(ws: Workspace) -> Any:
    return (await ws.jin.get("/views"))["views"]


async def test_a_button_is_heard_with_its_value_and_the_message_can_be_changed(ws: Workspace) -> None:
    def setup(app: AsyncApp) -> None:
        @app.action("go")
        async def go(ack: Any, body: dict[str, Any], respond: Any) -> None:
            await ack()
            await respond(text=f"pressed {body['actions'][0]['value']}", replace_original=True)

    async with ws.app(setup):
        posted = await ws.client.chat_postMessage(
            channel=ws.channel("general"), text="press", blocks=[BUTTON]
        )
        block, ts = posted["message"]["blocks"][0], posted["ts"]
        click = {
            "channel": "general",
            "message_ts": ts,
            "block_id": block["block_id"],
            "action_id": "go",
        }
        assert (await ws.jin.post("/actions", click))["ok"]
        await until(lambda: ws.world.message(ws.channel("general"), ts).text == "pressed v1")


async def test_a_dropped_file_can_be_downloaded_with_the_token_only(ws: Workspace) -> None:
    heard: list[dict[str, Any]] = []

    def setup(app: AsyncApp) -> None:
        @app.event({"type": "message", "subtype": "file_share"})
        async def drop(event: dict[str, Any]) -> None:
            heard.append(event)

    async with ws.app(setup):
        await ws.jin.drop("tuning", "a.jsonl", b'{"x": 1}\n', text="my data")
        await until(lambda: heard)
    file = heard[0]["files"][0]
    assert file["name"] == "a.jsonl"
    assert heard[0]["text"] == "my data"
    headers = {"Authorization": f"Bearer {ws.world.me.bot_token}"}
    async with ws.session.get(file["url_private_download"], headers=headers) as response:
        assert await response.read() == b'{"x": 1}\n'
    async with ws.session.get(
        file["url_private_download"], headers={"Authorization": "Bearer no"}
    ) as response:
        assert response.status == 200
        assert response.content_type == "text/html"
    assert len(await ws.jin.events("file_shared")) == 1


async def test_a_late_or_missing_answer_is_told_to_the_person(ws: Workspace) -> None:
    await ws.jin.post("/control", {"ack_seconds": 0.2})
    nobody = await ws.jin.post("/commands", {"channel": "tuning", "text": "/ft"})
    assert nobody["error"] == "dispatch_failed"

    def setup(app: AsyncApp) -> None:
        @app.command("/ft")
        async def broken() -> None:
            return None

    async with ws.app(setup):
        late = await ws.jin.post("/commands", {"channel": "tuning", "text": "/ft"})
    assert late["error"] == "operation_timeout"


async def test_an_event_that_was_not_acknowledged_comes_again(ws: Workspace) -> None:
    heard: list[str] = []
    ws.world.delivery.ack_s = 0.2
    await ws.jin.post("/control", {"retry_delays": [0, 0.3]})

    def setup(app: AsyncApp) -> None:
        @app.event("message")
        async def message(body: dict[str, Any]) -> None:
            heard.append(body["event_id"])

    await ws.jin.say("general", "is anybody there?")
    async with ws.app(setup):
        await until(lambda: heard)
        event_id = heard[0]
        assert (await ws.jin.post("/control", {"redeliver": event_id}))["ok"]
        await until(lambda: heard == [event_id, event_id])


async def test_the_apps_own_messages_are_events_too(ws: Workspace) -> None:
    await ws.client.chat_postMessage(channel=ws.channel("general"), text="mine, <!here>")
    event = (await ws.jin.events("message"))[0]["event"]
    assert event["bot_id"] == ws.world.me.bot_id
    assert event["user"] == ws.world.me.bot_user_id


@pytest.mark.parametrize("how", ["refresh", True])
async def test_the_app_comes_back_after_its_connection_was_dropped(ws: Workspace, how: Any) -> None:
    heard: list[str] = []

    def setup(app: AsyncApp) -> None:
        @app.event("message")
        async def message(event: dict[str, Any]) -> None:
            heard.append(event["text"])

    async with ws.app(setup):
        await ws.jin.post("/control", {"disconnect": how})
        await until(lambda: ws.world.delivery.wires)
        await ws.jin.say("general", "again")
        await until(lambda: heard == ["again"])

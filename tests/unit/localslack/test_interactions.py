"""Forms, menus, Home, shortcuts and response_urls, as a person meets them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp

from tests.support.waiting import until

from .conftest import Workspace
from .test_app import BUTTON, MODAL
from .test_webapi import error

HOME: dict[str, Any] = {"type": "home", "blocks": [BUTTON]}
SELECT: dict[str, Any] = {
    "type": "actions",
    "block_id": "menu",
    "elements": [
        {
            "type": "static_select",
            "action_id": "pick",
            "options": [
                {"text": {"type": "plain_text", "text": name}, "value": name.lower()}
                for name in ("Red", "Blue")
            ],
        }
    ],
}


def titled(title: str, **more: Any) -> dict[str, Any]:
    return MODAL | {"title": {"type": "plain_text", "text": title}} | more


async def run_command(ws: Workspace, text: str = "/ft") -> dict[str, Any]:
    return await ws.jin.post("/commands", {"channel": "tuning", "text": text})


async def test_a_trigger_opens_one_form_and_only_soon(ws: Workspace) -> None:
    trigger = ws.world.windows.trigger(ws.user("jin"))
    await ws.client.views_open(trigger_id=trigger, view=MODAL)
    assert await error(ws, "views.open", trigger_id=trigger, view=MODAL) == "exchanged_trigger_id"
    assert await error(ws, "views.open", trigger_id="1.2.3", view=MODAL) == "invalid_trigger_id"
    await ws.jin.post("/control", {"trigger_seconds": 0})
    late = ws.world.windows.trigger(ws.user("jin"))
    await asyncio.sleep(0.001)
    assert await error(ws, "views.open", trigger_id=late, view=MODAL) == "expired_trigger_id"


async def test_views_are_checked_and_guarded(ws: Workspace) -> None:
    trigger = ws.world.windows.trigger(ws.user("jin"))
    long = titled("x" * 25)
    assert await error(ws, "views.open", trigger_id=trigger, view=long) == "invalid_arguments"
    view = (await ws.client.views_open(trigger_id=trigger, view=MODAL))["view"]
    new = await ws.client.views_update(view_id=view["id"], view=titled("Second"), hash=view["hash"])
    assert new["view"]["title"]["text"] == "Second"
    args = {"view_id": view["id"], "view": MODAL, "hash": view["hash"]}
    assert await error(ws, "views.update", **args) == "hash_conflict"
    assert await error(ws, "views.update", view_id="V0", view=MODAL) == "not_found"
    for title in ("two", "three"):
        await ws.client.views_push(trigger_id=ws.world.windows.trigger(ws.user("jin")), view=titled(title))
    last = ws.world.windows.trigger(ws.user("jin"))
    assert await error(ws, "views.push", trigger_id=last, view=MODAL) == "push_limit_reached"
    assert len((await ws.jin.get("/views"))["views"]) == 3


@pytest.mark.parametrize("kind", ["update", "push", "clear"])
async def test_a_forms_answer_can_change_the_stack(ws: Workspace, kind: str) -> None:
    def setup(app: AsyncApp) -> None:
        @app.view("form")
        async def form(ack: Any) -> None:
            more = {} if kind == "clear" else {"view": titled("Next")}
            await ack(response_action=kind, **more)

    await ws.client.views_open(trigger_id=ws.world.windows.trigger(ws.user("jin")), view=MODAL)
    view = (await ws.jin.get("/views"))["views"][0]
    async with ws.app(setup):
        answer = await ws.jin.post(f"/views/{view['id']}/submit", {"values": {"epochs": {"n": {"value": 3}}}})
    titles = [v["title"]["text"] for v in (await ws.jin.get("/views"))["views"]]
    assert titles == {"update": ["Next"], "push": ["Start", "Next"], "clear": []}[kind]
    assert ("closed" in answer) == (kind == "clear")


async def test_closing_is_told_only_if_asked_for(ws: Workspace) -> None:
    closed: list[str] = []

    def setup(app: AsyncApp) -> None:
        @app.view_closed("form")
        async def gone(ack: Any, view: dict[str, Any]) -> None:
            await ack()
            closed.append(view["title"]["text"])

    async with ws.app(setup):
        for title, told in (("silent", False), ("told", True)):
            trigger = ws.world.windows.trigger(ws.user("jin"))
            view = (await ws.client.views_open(trigger_id=trigger, view=titled(title, notify_on_close=told)))[
                "view"
            ]
            await ws.jin.post(f"/views/{view['id']}/close")
        await until(lambda: closed)
    assert closed == ["told"]
    assert (await ws.jin.post(f"/views/{view['id']}/close"))["error"] == "view_not_found"


async def test_home_opens_is_published_and_its_buttons_work(ws: Workspace) -> None:
    pressed: list[Any] = []

    def setup(app: AsyncApp) -> None:
        @app.event("app_home_opened")
        async def opened(event: dict[str, Any], client: Any) -> None:
            await client.views_publish(user_id=event["user"], view=HOME)

        @app.action("go")
        async def go(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            pressed.append(body["view"]["type"])

    async with ws.app(setup):
        assert (await ws.jin.get("/home"))["view"] is None
        await ws.jin.post("/home")
        view = await until(lambda: _home(ws))
        click = {"view_id": view["id"], "block_id": view["blocks"][0]["block_id"], "action_id": "go"}
        assert (await ws.jin.post("/actions", click))["ok"]
        await until(lambda: pressed == ["home"])


async def _home(ws: Workspace) -> Any:
    return (await ws.jin.get("/home"))["view"]


async def test_a_choice_in_a_message_is_one_that_is_offered(ws: Workspace) -> None:
    chosen: list[Any] = []

    def setup(app: AsyncApp) -> None:
        @app.action("pick")
        async def pick(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            chosen.append((body["actions"][0]["selected_option"]["value"], body["state"]["values"]))

    async with ws.app(setup):
        ts = (await ws.client.chat_postMessage(channel=ws.channel("general"), text="x", blocks=[SELECT]))[
            "ts"
        ]
        click = {"channel": "general", "message_ts": ts, "block_id": "menu", "action_id": "pick"}
        wrong = await ws.jin.post("/actions", click | {"selected_option": {"value": "green"}})
        assert wrong["error"] == "bad_value"
        assert (await ws.jin.post("/actions", click | {"selected_option": {"value": "blue"}}))["ok"]
        gone = await ws.jin.post("/actions", click | {"action_id": "other"})
        assert gone["error"] == "no_such_element"
    value, state = chosen[0]
    assert value == "blue"
    assert state["menu"]["pick"]["selected_option"]["text"]["text"] == "Blue"


async def test_an_external_menu_asks_the_app(ws: Workspace) -> None:
    element = {"type": "external_select", "action_id": "find", "min_query_length": 0}
    block = {"type": "actions", "block_id": "b", "elements": [element]}

    def setup(app: AsyncApp) -> None:
        @app.options("find")
        async def find(ack: Any, payload: dict[str, Any]) -> None:
            text = {"type": "plain_text", "text": payload["value"].upper()}
            await ack(options=[{"text": text, "value": payload["value"]}])

    async with ws.app(setup):
        ts = (await ws.client.chat_postMessage(channel=ws.channel("general"), text="x", blocks=[block]))["ts"]
        asked = {"channel": "general", "message_ts": ts, "block_id": "b", "action_id": "find", "value": "ab"}
        assert (await ws.jin.post("/options", asked))["options"][0]["text"]["text"] == "AB"


async def test_shortcuts_reach_the_app_with_the_message(ws: Workspace) -> None:
    heard: list[Any] = []

    def setup(app: AsyncApp) -> None:
        @app.shortcut("use")
        async def use(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            heard.append(body["message"]["text"])

        @app.shortcut("start")
        async def start(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            heard.append(body["type"])

    async with ws.app(setup):
        message = await ws.jin.say("general", "data")
        await ws.jin.post("/shortcuts", {"callback_id": "start"})
        place = {"channel": "general", "message_ts": message["ts"]}
        await ws.jin.post("/shortcuts", {"callback_id": "use"} | place)
        assert (await ws.jin.post("/shortcuts", {"callback_id": "none"}))["error"] == "unknown_shortcut"
        await until(lambda: heard == ["shortcut", "data"])


async def test_commands_know_their_places(ws: Workspace) -> None:
    assert (await run_command(ws, "/nothing"))["error"] == "unknown_command"
    root = await ws.jin.say("tuning", "x")
    in_thread = {"channel": "tuning", "text": "/ft", "thread_ts": root["ts"]}
    assert (await ws.jin.post("/commands", in_thread))["error"] == "in_thread"
    typed = await ws.jin.post("/channels/tuning/messages", {"text": "/ft"})
    assert typed["error"] == "is_command"
    invite = {"channel": "random", "text": "/invite @ftbot"}
    assert (await ws.jin.post("/commands", invite))["ok"]
    joined = await ws.jin.events("member_joined_channel")
    assert joined[-1]["event"]["user"] == ws.world.me.bot_user_id


async def test_a_commands_answer_is_for_its_person_and_can_be_changed(ws: Workspace) -> None:
    texts: list[str] = []

    def setup(app: AsyncApp) -> None:
        @app.command("/ft")
        async def ft(ack: Any, command: dict[str, Any]) -> None:
            texts.append(command["text"])
            await ack(text="looking", blocks=[BUTTON])

        @app.action("go")
        async def go(ack: Any, respond: Any) -> None:
            await ack()
            await respond(delete_original=True)

    async with ws.app(setup):
        await run_command(ws, "/ft ask <b> @mina")
        message = (await ws.jin.get("/channels/tuning/messages"))["messages"][-1]
        assert (message["ephemeral"], message["text"]) == (True, "looking")
        assert (await ws.mina.get("/channels/tuning/messages"))["messages"] == []
        block_id = message["blocks"][0]["block_id"]
        click = {"channel": "tuning", "message_ts": message["ts"], "block_id": block_id, "action_id": "go"}
        await ws.jin.post("/actions", click)
        await until(lambda: _empty(ws, "tuning"))
    assert texts == [f"ask &lt;b&gt; <@{ws.user('mina')}|mina>"]


async def _empty(ws: Workspace, channel: str) -> bool:
    return (await ws.jin.get(f"/channels/{channel}/messages"))["messages"] == []


async def test_a_response_url_works_five_times(ws: Workspace) -> None:
    hook = ws.world.hooks.make(ws.user("jin"), ws.channel("random"))
    url = f"{ws.world.base_url}/hooks/{hook.id}"
    codes: list[int] = []
    for _ in range(6):
        async with ws.session.post(url, json={"text": "x"}) as response:
            codes.append(response.status)
    assert codes == [200] * 5 + [404]
    async with ws.session.post(f"{ws.world.base_url}/hooks/no", json={"text": "x"}) as response:
        assert (response.status, await response.text()) == (404, "expired_url")


async def test_what_is_typed_into_a_form_is_kept_and_told_only_when_asked_for(ws: Workspace) -> None:
    heard: list[Any] = []
    select = SELECT["elements"][0]
    label = {"type": "plain_text", "text": "L"}
    blocks = [
        *MODAL["blocks"],
        {"type": "input", "block_id": "quiet", "label": label, "element": select},
        {"type": "input", "block_id": "loud", "label": label, "element": select, "dispatch_action": True},
    ]

    def setup(app: AsyncApp) -> None:
        @app.action("pick")
        async def pick(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            heard.append(body)

    async with ws.app(setup):
        trigger = ws.world.windows.trigger(ws.user("jin"))
        view = (await ws.client.views_open(trigger_id=trigger, view=MODAL | {"blocks": blocks}))["view"]
        click = {"view_id": view["id"], "action_id": "pick", "selected_option": {"value": "red"}}
        await ws.jin.post("/actions", click | {"block_id": "quiet"})
        typed = {"epochs": {"n": {"value": "5"}}}
        await ws.jin.post("/actions", click | {"block_id": "loud", "values": typed})
        await until(lambda: heard)
    assert [body["actions"][0]["block_id"] for body in heard] == ["loud"]
    values = heard[0]["view"]["state"]["values"]
    assert values["epochs"]["n"]["value"] == "5"
    assert values["quiet"]["pick"]["selected_option"]["value"] == "red"

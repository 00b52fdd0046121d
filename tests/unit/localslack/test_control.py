"""Faults on order: lost and late answers, deaf connections, events twice, held or in another order."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from localslack.ui.control import ORDERS, SECONDS
from tests.support.waiting import until

from .conftest import Workspace


async def texts(ws: Workspace) -> list[str]:
    return [m["text"] for m in (await ws.jin.get("/channels/general/messages"))["messages"]]


def post(ws: Workspace, text: str) -> Any:
    """A bare chat.postMessage, without the client's own second tries."""
    return ws.session.post(
        f"{ws.world.base_url}/api/chat.postMessage",
        json={"channel": ws.channel("general"), "text": text},
        headers={"Authorization": f"Bearer {ws.world.me.bot_token}"},
        timeout=aiohttp.ClientTimeout(total=5),
    )


async def status(ws: Workspace, text: str) -> int:
    async with post(ws, text) as response:
        return response.status


async def test_an_answer_can_be_lost_after_the_post_was_made(ws: Workspace) -> None:
    await ws.jin.post("/control", {"fail": {"method": "chat.postMessage", "status": 500}})
    assert await status(ws, "once") == 500
    assert await texts(ws) == ["once"]
    assert await status(ws, "twice") == 200


async def test_a_failure_without_effect_posts_nothing(ws: Workspace) -> None:
    await ws.jin.post("/control", {"fail": {"method": "*", "status": 503, "effect": False, "times": 2}})
    assert [await status(ws, "never") for _ in range(2)] == [503, 503]
    assert await texts(ws) == []


async def test_a_connection_can_break_in_the_middle_of_an_answer(ws: Workspace) -> None:
    await ws.jin.post("/control", {"fail": {"method": "chat.postMessage", "cut": True}})
    async with post(ws, "cut") as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert await texts(ws) == ["cut"]


async def test_a_method_can_be_made_to_refuse_with_a_slack_error(ws: Workspace) -> None:
    await ws.jin.post("/control", {"fail": {"method": "auth.test", "error": "fatal_error"}})
    with pytest.raises(SlackApiError, match="fatal_error"):
        await ws.client.auth_test()
    await ws.client.auth_test()


async def test_a_download_can_break_off(ws: Workspace) -> None:
    dropped = await ws.jin.drop("general", "a.jsonl", b"x" * 1000)
    info = await ws.client.files_info(file=dropped["files"][0]["id"])
    await ws.jin.post("/control", {"fail": {"method": "download", "cut": True}})
    headers = {"Authorization": f"Bearer {ws.world.me.bot_token}"}
    response = await ws.session.get(info["file"]["url_private_download"], headers=headers)
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()
    again = await ws.session.get(info["file"]["url_private_download"], headers=headers)
    assert len(await again.read()) == 1000


async def test_a_late_answer_comes_after_its_effect(ws: Workspace) -> None:
    await ws.jin.post("/control", {"delay": {"method": "chat.postMessage", "seconds": 600}})
    with pytest.raises(TimeoutError):
        await ws.session.post(
            f"{ws.world.base_url}/api/chat.postMessage",
            json={"channel": ws.channel("general"), "text": "late"},
            headers={"Authorization": f"Bearer {ws.world.me.bot_token}"},
            timeout=aiohttp.ClientTimeout(total=0.5),
        )
    assert await texts(ws) == ["late"]


async def test_a_revoked_token_is_refused_until_it_is_good_again(ws: Workspace) -> None:
    await ws.jin.post("/control", {"token": "revoked"})
    with pytest.raises(SlackApiError, match="token_revoked"):
        await ws.client.auth_test()
    await ws.jin.post("/control", {"token": "good"})
    await ws.client.auth_test()


def listen(heard: list[dict[str, Any]]) -> Any:
    def setup(app: AsyncApp) -> None:
        @app.event("message")
        async def message(body: dict[str, Any]) -> None:
            heard.append(body)

    return setup


async def test_events_can_come_twice_under_the_same_or_a_new_id(ws: Workspace) -> None:
    heard: list[dict[str, Any]] = []
    async with ws.app(listen(heard)):
        for how, ids in (("same", 1), ("new", 2)):
            heard.clear()
            await ws.jin.post("/control", {"events_twice": how})
            await ws.jin.say("general", how)
            await until(lambda: len(heard) == 2)
            assert len({body["event_id"] for body in heard}) == ids
            assert {body["event"]["text"] for body in heard} == {how}


async def test_an_event_can_be_sent_again_with_a_new_id(ws: Workspace) -> None:
    heard: list[dict[str, Any]] = []
    async with ws.app(listen(heard)):
        await ws.jin.say("general", "again")
        await until(lambda: heard)
        order = {"event_id": heard[0]["event_id"], "new_id": True}
        await ws.jin.post("/control", {"redeliver": order})
        await until(lambda: len(heard) == 2)
    assert heard[0]["event"] == heard[1]["event"]
    assert heard[0]["event_id"] != heard[1]["event_id"]


async def test_held_events_come_backwards(ws: Workspace) -> None:
    heard: list[dict[str, Any]] = []
    async with ws.app(listen(heard)):
        await ws.jin.post("/control", {"hold_events": True})
        for text in ("one", "two", "three"):
            await ws.jin.say("general", text)
        assert heard == []
        assert (await ws.jin.post("/control", {"hold_events": "backwards"}))["released"] == 3
        await until(lambda: len(heard) == 3)
    assert sorted(body["event"]["text"] for body in heard) == ["one", "three", "two"]


@pytest.mark.long
async def test_a_deaf_connection_stays_open_but_nothing_gets_through(ws: Workspace) -> None:
    heard: list[dict[str, Any]] = []
    await ws.jin.post("/control", {"ack_seconds": 0.2, "retry_delays": [0, 0, 0]})
    async with ws.app(listen(heard)):
        wires = ws.world.delivery.wires
        assert (await ws.jin.post("/control", {"deaf": True}))["deaf"] == 1
        await ws.jin.say("general", "hello?")
        problems = await ws.session.post(
            f"{ws.world.base_url}/ui/commands", json={"channel": "general", "text": "/ft"}
        )
        assert (await problems.json())["error"] == "operation_timeout"
        assert heard == []
        assert ws.world.delivery.wires == wires
        await ws.jin.post("/control", {"deaf": False})
        await until(lambda: ws.world.delivery.wires and ws.world.delivery.wires != wires)
        await ws.jin.say("general", "back")
        await until(lambda: any(body["event"]["text"] == "back" for body in heard))


async def test_a_deaf_connection_sends_no_pongs(ws: Workspace) -> None:
    token = ws.world.me.app_token
    answer: Any = await ws.client_with(token).apps_connections_open(app_token=token)
    async with ws.session.ws_connect(answer["url"]) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        await ws.jin.post("/control", {"deaf": True})
        await socket.ping()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.5)
        await ws.jin.post("/control", {"deaf": False})


async def test_clear_takes_every_order_back(ws: Workspace) -> None:
    orders = {
        "fail": {"method": "auth.test", "times": 9},
        "delay": {"method": "auth.test", "seconds": 60},
        "rate_limit": {"method": "auth.test", "seconds": 9, "times": 9},
        "events_twice": "new",
    }
    await ws.jin.post("/control", orders)
    await ws.jin.post("/control", {"clear": True})
    await ws.client.auth_test()
    assert ws.world.delivery.twice == "off"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"explode": True}, "Unknown: explode"),
        ({"fail": {"method": "chat.explode"}}, "known method"),
        ({"fail": {"method": "*", "colour": "red"}}, "keys among"),
        ({"delay": {"method": "*"}}, "cannot be read"),
        ({"events_twice": "thrice"}, "off, same, new"),
        ({"ack_seconds": "soon"}, "cannot be read"),
        ({"verify_url": True}, "--http"),
    ],
)
async def test_an_order_that_is_not_understood_is_refused_in_words(
    ws: Workspace, order: dict[str, Any], words: str
) -> None:
    answer = await ws.session.post(f"{ws.world.base_url}/ui/control", json=order)
    assert answer.status == 400
    assert words in (await answer.json())["message"]


def test_the_orders_have_names_of_their_own() -> None:
    assert not set(ORDERS) & set(SECONDS)

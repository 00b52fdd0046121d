"""HTTP mode: Slack calls the bot; what Slack did not sign just now is refused and leaves no trace."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import bot.httpmode
from bot.doctor import _way_in
from bot.httpmode import PATH, REPEATED, HttpMode
from bot.settings import Settings
from localslack.app import Options, running
from localslack.httpmode import sign
from storage.rows import scalar
from tests.faults.inside import Inside, bot_inside
from tests.support.surfaces import ROOT

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Inside]:
    async with bot_inside(tmp_path, http=True) as running_bot:
        yield running_bot


async def kept(place: Inside) -> int:
    """How many payloads ever came into the inbox."""
    return int(await place.store.read(lambda db: scalar(db, "SELECT count(*) FROM inbox")))


def signed(place: Inside, body: bytes, *, age: float = 0) -> dict[str, str]:
    """The headers Slack sends; ``age`` seconds ago."""
    stamp = str(int(time.time() - age))
    signature = sign(place.world.me.signing_secret, stamp, body)
    return {"Content-Type": FORM, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


async def post(place: Inside, body: bytes, headers: dict[str, str]) -> int:
    async with place.web.post(f"{place.health}{PATH}", data=body, headers=headers) as answer:
        return answer.status


async def options(place: Inside, room: str) -> Any:
    """What a menu whose options are asked for gets."""
    me = place.world.me
    asked = {"type": "block_suggestion", "action_id": "pause_pick", "value": "", "channel": {"id": room}}
    asked |= {"user": {"id": place.world.users[0].id, "team_id": me.team_id}, "team": {"id": me.team_id}}
    body = urlencode({"payload": json.dumps(asked)}).encode()
    url = f"{place.health}{PATH}"
    async with place.web.post(url, data=body, headers=signed(place, body)) as answer:
        return await answer.json()


async def test_slack_calls_the_bot_and_it_answers_commands_menus_and_mentions(place: Inside) -> None:
    assert (await place.control(verify_url=True))["verified"] is True
    assert await place.get("/readyz") == (200, "ready\n")
    room, elsewhere = place.channel(), place.channel("random")
    await place.jin.say(room, "@ftbot help")
    await place.said(room, "datasets")
    assert await place.jin.command(elsewhere, "/ft help") == {"ok": True}
    await place.said(elsewhere, "datasets")
    assert await options(place, room) == {"options": []}
    assert place.world.delivery.wires == []


async def test_what_slack_did_not_sign_just_now_is_refused_and_not_kept(place: Inside) -> None:
    said = {"command": "/ft", "text": "help", "trigger_id": "1.2", "channel_id": place.channel()}
    body = urlencode({**said, "user_id": "U1", "team_id": place.world.me.team_id}).encode()
    good = signed(place, body)
    wrong: list[tuple[bytes, dict[str, str]]] = [
        (body, good | {"X-Slack-Signature": "v0=" + "0" * 64}),
        (body, good | {"X-Slack-Signature": "v0=é"}),
        (body + b"&more=1", good),
        (body, signed(place, body, age=301)),
        (body, signed(place, body, age=-301)),
        (body, good | {"X-Slack-Request-Timestamp": "now"}),
        *((body, {key: good[key] for key in good if key != gone}) for gone in good if gone[0] == "X"),
        (body, {"Content-Type": FORM}),
        (b"{", {"Content-Type": "application/json"}),
        (b"\xff", good),
    ]
    before = await kept(place)
    assert [await post(place, *one) for one in wrong] == [401] * len(wrong)
    assert await kept(place) == before
    assert await place.figure('ftbot_slack_payloads_total{fate="refused",kind="unsigned"}') >= len(wrong)
    assert await post(place, body, good) == 200
    assert await post(place, body, good) == 200
    assert await kept(place) == before + 1


@pytest.mark.parametrize("after", ["a repeat", "a silence"])
async def test_what_was_lost_on_a_broken_way_is_found_in_the_history(
    place: Inside, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    room = place.channel()
    await place.jin.say(room, "@ftbot help")
    await place.said(room, "datasets")
    lost: list[str] = []

    async def swallow(request: web.Request) -> web.Response:
        lost.append(await request.text())
        return web.Response()

    proxy = web.Application()
    proxy.router.add_post("/", swallow)
    async with TestServer(proxy) as broken:
        with pytest.MonkeyPatch.context() as way:
            way.setattr(place.world.delivery.request_url, "url", str(broken.make_url("/")))
            await place.jin.say(room, "@ftbot models")
            while not any("models" in one for one in lost):
                await asyncio.sleep(0.01)
    if after == "a silence":
        monkeypatch.setattr(bot.httpmode, "REPEATS", 0.0)
    await post(place, b"", signed(place, b"") | ({REPEATED: "1"} if after == "a repeat" else {}))
    await place.said(room, "2 models")


async def test_before_the_start_and_after_the_stop_slack_is_told_to_come_again() -> None:
    opened: list[bool] = []
    bolt = AsyncApp(client=AsyncWebClient(token="xoxb-1"), signing_secret="shh")
    mode = HttpMode(bolt, "shh", lambda: opened.append(True))
    app = web.Application()
    app.add_routes(mode.routes())
    async with TestClient(TestServer(app)) as client:
        assert (await client.post(PATH)).status == 503
        await mode.open()
        assert (opened, (await client.post(PATH)).status) == ([True], 401)
        await mode.close()
        assert (await client.post(PATH)).status == 503


async def test_doctor_says_which_way_slack_comes_in(tmp_path: Path) -> None:
    async with running(Options(data=tmp_path / "slack", manifest=ROOT / "manifest.yml")) as world:
        client = AsyncWebClient(token=world.me.bot_token, base_url=f"{world.base_url}/api/")
        given = {
            "slack_bot_token": world.me.bot_token,
            "slack_signing_secret": "shh",
            "ftbot_health_port": 8080,
        }
        by_http = await _way_in(client, Settings.model_validate(given))
        assert (by_http.what, by_http.ok) == ("HTTP mode", True)
        assert "http://127.0.0.1:8080/slack/events" in by_http.detail
        both = Settings.model_validate(given | {"slack_app_token": world.me.app_token})
        by_socket = await _way_in(client, both)
        assert (by_socket.what, by_socket.ok) == ("App token", True)
        assert "both set, so it is Socket Mode" in by_socket.detail

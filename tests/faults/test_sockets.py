"""A socket that goes deaf is noticed, said, and opened anew; nothing said meanwhile is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse
from structlog.testing import capture_logs

import bot.health
import bot.socket
import handlers.inbox
from tests.faults.inside import Inside, bot_inside
from tests.support.waiting import until
from tests.support.workspace import chat_file


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A bot that thinks ten times as fast about its socket."""
    monkeypatch.setattr(bot.socket, "PING_SECONDS", 0.5)
    monkeypatch.setattr(bot.socket, "LOOK_EVERY", 0.1)
    for module in (bot.socket, bot.health):
        monkeypatch.setattr(module, "DEAF_AFTER", 1.5)
    async with bot_inside(tmp_path) as running:
        yield running


async def test_9_a_deaf_bot_says_so_and_hears_again_as_soon_as_slack_lets_it(place: Inside) -> None:
    room = place.channel()
    await place.jin.say(room, "@ftbot jobs")
    await place.said(room, "job")

    async def ready(wanted: int) -> str | None:
        status, words = await place.get("/readyz")
        return words if status == wanted else None

    assert await ready(200)
    await place.control(deaf=True, fail={"method": "apps.connections.open", "times": 10_000})
    words = await until(lambda: ready(503), 30.0)
    assert "nothing heard from Slack" in words
    assert (await place.get("/healthz"))[0] == 200
    await place.jin.say(room, "@ftbot help")
    await place.control(clear=True)
    await until(lambda: ready(200), 60.0)
    await place.said(room, "datasets")
    assert not place.working.done()


async def test_4_what_was_dropped_and_said_while_the_bot_was_deaf_is_answered_late_and_says_so(
    place: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers.inbox, "LATE", 0.0)
    room = place.channel()
    await place.jin.say(room, "@ftbot jobs")
    await place.said(room, "job")
    await place.control(retry_delays=[], deaf=True)
    ts = await place.jin.drop(room, "late.jsonl", chat_file(12, "late").encode())
    asked = await place.jin.say(room, "@ftbot help")
    await place.control(deaf=False)
    await place.said(room, "Ready to train", ts)
    await place.said(room, "datasets")
    for root in (ts, asked):
        await place.said(room, "I was away", root)
    told = [m for m in await place.jin.thread(room, ts) if "bot_id" in m]
    assert ["I was away" in str(m) for m in told] == [True, False]


async def test_9_pages_of_a_proxy_in_place_of_a_new_address_end_nothing_and_are_said_in_a_line(
    place: Inside, caplog: pytest.LogCaptureFixture
) -> None:
    for status in (502, 200):
        fault = {"method": "apps.connections.open", "status": status, "times": 10_000}
        await place.control(deaf=True, fail=fault)

        async def tried(status: int = status) -> bool:
            found = [r for r in caplog.records if f"status: {status}" in r.getMessage()]
            assert not place.working.done()
            return len(found) > 2

        await until(tried, 60.0)
        await place.control(clear=True)

        async def ready() -> bool:
            return (await place.get("/readyz"))[0] == 200

        await until(ready, 60.0)
    room = place.channel()
    await place.jin.say(room, "@ftbot help")
    await place.said(room, "datasets")
    assert not [r for r in caplog.records if r.exc_info]


async def test_9_a_connection_that_breaks_is_opened_anew_and_the_calls_are_counted(place: Inside) -> None:
    room = place.channel()
    await place.jin.say(room, "@ftbot jobs")
    await place.said(room, "job")
    hellos = await place.figure("ftbot_slack_connections_total")
    await place.control(disconnect=True)
    await place.jin.say(room, "@ftbot help")
    await place.said(room, "datasets")
    assert await place.figure("ftbot_slack_connections_total") > hellos
    _, text = await place.get("/metrics")
    assert 'ftbot_slack_payloads_total{fate="kept",kind="event_callback"}' in text


async def test_10_a_stop_does_not_wait_for_the_goodbye_of_a_deaf_socket(
    place: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that never answers the closing frame would take all of the time that a stop has."""
    never = asyncio.Event()
    left: list[ClientWebSocketResponse] = []

    async def silent(self: ClientWebSocketResponse, **_: Any) -> bool:
        if not self.closed:
            self._closed = True
            left.append(self)
            await never.wait()
        return True

    monkeypatch.setattr(bot.socket, "GOODBYE_SECONDS", 0.1)
    monkeypatch.setattr(ClientWebSocketResponse, "close", silent)
    with capture_logs() as logs:
        await place.bot.close()
    for one in left:
        one._response.close()
    assert [one["event"] for one in logs if one["event"].startswith("stopped")] == ["stopped"]

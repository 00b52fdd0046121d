"""Slack's limits are kept before they are hit, and people go first."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from handlers.pacing import IN_CHANNEL, LIMITS, SPECIAL, TIER_2, TIER_3, TIER_4, Pace
from handlers.slackclient import PacedClient
from handlers.streaming import AnswerWriter, Place
from localslack.app import running
from localslack.webapi.limits import TIERS
from tests.support.outgoing import Options
from tests.support.surfaces import ROOT


@dataclass
class Time:
    """Time that passes only while somebody sleeps."""

    now: float = 0.0
    calls: deque[float] = field(default_factory=deque)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def pace(self) -> Pace:
        return Pace(self.clock, self.sleep)


@pytest.mark.parametrize(
    ("limit", "tier"), [(TIER_2, "t2"), (TIER_3, "t3"), (TIER_4, "t4"), (SPECIAL, "special")]
)
def test_no_minute_holds_more_calls_than_slack_grants(limit: Any, tier: str) -> None:
    assert limit.size + limit.per_minute <= TIERS[tier]
    assert 0 < limit.kept < limit.size


async def test_in_no_minute_more_than_the_tier_goes_out() -> None:
    time = Time()
    pace = time.pace()
    made: list[float] = []
    for _ in range(200):
        await pace.turn("chat.update", "C1", urgent=False)
        made.append(time.now)
    for begin in made:
        assert sum(begin <= at < begin + 60 for at in made) <= 50


async def test_a_channel_gets_about_one_message_a_second() -> None:
    time = Time()
    pace = time.pace()
    for _ in range(61 + int(IN_CHANNEL.size)):
        await pace.turn("chat.postMessage", "C1", urgent=False)
    assert time.now >= 60


async def test_a_busy_channel_does_not_hold_up_another() -> None:
    time = Time()
    pace = time.pace()
    for _ in range(20):
        await pace.turn("chat.postMessage", "C1", urgent=False)
    assert await pace.turn("chat.postMessage", "C2", urgent=False) == 0


async def test_what_a_person_waits_for_finds_room_while_two_hundred_cards_wait() -> None:
    time = Time()
    pace = time.pace()
    waiting: list[float] = []

    async def card() -> None:
        waiting.append(await pace.turn("chat.update", "C1", urgent=False))

    cards = [asyncio.create_task(card()) for _ in range(200)]
    await asyncio.sleep(0)
    assert await pace.turn("chat.update", "C1", urgent=True) == 0
    for task in cards:
        await task
    assert max(waiting) > 60


async def test_after_a_429_nothing_is_sent_before_slack_said() -> None:
    time = Time()
    pace = time.pace()
    pace.refused("chat.update", None, 7.0)
    assert not pace.room("chat.update", None)
    assert await pace.turn("chat.update", None, urgent=True) >= 7


async def test_a_post_that_was_refused_rests_its_channel_alone() -> None:
    time = Time()
    pace = time.pace()
    pace.refused("chat.postMessage", "C1", 7.0)
    assert await pace.turn("chat.postMessage", "C2", urgent=True) == 0
    assert await pace.turn("chat.postMessage", "C1", urgent=True) >= 7


async def test_quiet_channels_are_forgotten() -> None:
    time = Time()
    pace = time.pace()
    for number in range(3_000):
        time.now += 0.2
        await pace.turn("chat.postMessage", f"C{number}", urgent=False)
    assert len(pace._buckets) < 1_010


async def test_a_stream_without_room_is_refused_here_so_that_the_answer_is_edited(tmp_path: Any) -> None:
    async with running(Options(data=tmp_path, manifest=ROOT / "manifest.yml")) as world:
        client = PacedClient(token=world.me.bot_token, base_url=f"{world.base_url}/api/")
        client.pace.refused("chat.startStream", None, 60.0)
        with pytest.raises(SlackApiError) as refused:
            await client.chat_startStream(channel="C1", thread_ts="1.0")
        assert refused.value.response["error"] == "ratelimited"


@pytest.mark.parametrize(("full", "calls"), [(False, ["post", "update"]), (True, ["post"])])
async def test_an_answer_without_room_for_edits_comes_whole_and_takes_none(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, full: bool, calls: list[str]
) -> None:
    made: list[str] = []
    async with running(Options(data=tmp_path, manifest=ROOT / "manifest.yml")) as world:
        client = PacedClient(token=world.me.bot_token, base_url=f"{world.base_url}/api/")
        client.pace.refused("chat.startStream", None, 60.0)
        if full:
            client.pace.refused("chat.update", None, 60.0)
        for short, method in (("post", client.chat_postMessage), ("update", client.chat_update)):

            async def noted(short: str = short, method: Any = method, **args: Any) -> Any:
                made.append(short)
                return await method(**args)

            monkeypatch.setattr(client, method.__name__, noted)
        channel = next(one.id for one in world.store.channels() if one.name == "tuning")
        said = await client.api_call("chat.postMessage", json={"channel": channel, "text": "?"})
        asked = str(said["ts"])
        writer = AnswerWriter(client, Place(channel, asked, "U1", "T1", False), time.time)
        await writer.add("Check ")
        await writer.add("the cable.")
        foot = [{"type": "context", "elements": [{"type": "mrkdwn", "text": "triage-7"}]}]
        ts = await writer.finish(foot)
        found: Any = await client.conversations_replies(channel=channel, ts=asked)
        replies: list[dict[str, Any]] = found["messages"]
    (answer,) = [one for one in replies if one["ts"] != asked]
    assert answer["ts"] == ts
    assert "Check the cable." in str(answer["blocks"])
    assert "triage-7" in str(answer["blocks"])
    assert made == calls


async def test_room_held_for_later_is_there_later_and_comes_back() -> None:
    time = Time()
    pace = time.pace()
    held = sum(pace.hold("chat.update", "C1") for _ in range(100))
    assert held == TIER_3.size
    assert not pace.room("chat.update", "C2")
    for _ in range(held):
        assert await pace.turn("chat.update", "C1", urgent=True) == 0
        pace.free("chat.update")
    assert not pace.hold("chat.update", "C1")
    time.now += 60
    assert pace.hold("chat.update", "C1")


def test_room_that_is_never_given_back_is_not_held_for_ever() -> None:
    time = Time()
    pace = time.pace()
    while pace.hold("chat.update", "C1"):
        pass
    time.now += 601
    assert pace.hold("chat.update", "C1")


async def test_slack_saying_429_closes_the_way_for_all_clients(tmp_path: Any) -> None:
    async with running(Options(data=tmp_path, manifest=ROOT / "manifest.yml")) as world:
        client = PacedClient(token=world.me.bot_token, base_url=f"{world.base_url}/api/")
        behind = client.behind()
        assert behind.pace is client.pace
        client.pace.refused("auth.test", None, 0.0)
        for _ in range(3):
            assert (await behind.auth_test())["ok"]


def test_methods_that_people_wait_for_have_a_limit_of_their_own() -> None:
    assert {"views.open", "chat.startStream", "chat.appendStream", "chat.postMessage"} <= set(LIMITS)

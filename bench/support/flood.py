"""(a) and (d): a flood of mixed events, each timed from its frame to its acknowledgement; memory."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.support.place import Place, place
from localslack import delivery
from localslack.events import envelope

Json = dict[str, Any]

KINDS: dict[str, float] = {
    "talk": 70,
    "reply": 12,
    "edit": 6,
    "mention": 5,
    "home": 4,
    "command": 2,
    "click": 1,
}
"""Of a hundred payloads; most are not for the bot, as in a workspace that talks."""
CALM = {**KINDS, "mention": 0.1, "home": 0.05, "command": 0.05, "click": 0.05}
"""So few for the bot that it answers all within Slack's limits: nothing waits, memory shows no queue."""
LATE = 3.0
AT_ONCE = 2_000
SETTLED = 20.0
"""Seconds after which the bot has loaded what it loads after its start."""
delivery.KEPT_ENVELOPES = 10 * AT_ONCE


class Events:
    """Makes payloads of mixed kinds; ``ours`` are the keys that must stand in the bot's inbox."""

    def __init__(self, place: Place, kinds: dict[str, float]) -> None:
        self._place = place
        self._kinds = kinds
        self._random = random.Random(5)
        self._numbers = itertools.count(1)
        self._channels = [place.channel(), place.channel("general")]
        self._began = time.time()
        self.ours: list[str] = []

    def __iter__(self) -> Iterator[tuple[str, Json]]:
        kinds = list(self._kinds)
        while True:
            kind = self._random.choices(kinds, list(self._kinds.values()))[0]
            yield self._one(kind, next(self._numbers))

    def _one(self, kind: str, number: int) -> tuple[str, Json]:
        user, channel = self._place.person(), self._channels[number % 2]
        ts = f"{self._began + number / 1_000:.6f}"
        said: Json = {
            "type": "message",
            "channel": channel,
            "channel_type": "channel",
            "user": user,
            "ts": ts,
        }
        match kind:
            case "command":
                trigger = f"{number}.bench"
                self.ours.append(f"command:{trigger}")
                body = {"command": "/ft", "text": "jobs", "user_id": user, "channel_id": channel}
                return "slash_commands", {**body, "trigger_id": trigger, "type": "slash_commands"}
            case "click":
                trigger = f"{number}.bench"
                self.ours.append(f"action:{trigger}")
                return "interactive", {
                    "type": "block_actions", "trigger_id": trigger, "user": {"id": user},
                    "channel": {"id": channel}, "message": {"ts": ts},
                    "actions": [{"action_id": "feedback", "type": "button", "value": "good"}],
                }  # fmt: skip
            case "home":
                event = {
                    "type": "app_home_opened",
                    "user": user,
                    "tab": "home",
                    "channel": "D1",
                    "event_ts": ts,
                }
            case "edit":
                event = {**said, "subtype": "message_changed", "message": said, "previous_message": said}
            case "mention":
                event = {**said, "text": f"<@{self._place.world.me.bot_user_id}> jobs"}
            case "reply":
                event = {**said, "text": f"a word {number}", "thread_ts": f"{self._began:.6f}"}
            case _:
                event = {**said, "text": f"only talk {number}"}
        told = envelope(self._place.world, event)
        if kind in ("mention", "home"):
            self.ours.append(str(told["event_id"]))
        return "events_api", told


async def send(
    place: Place, many: int, rate: float | None, kinds: dict[str, float] = KINDS
) -> tuple[list[float], int, Events]:
    """Sends ``many`` payloads, ``rate`` a second or as fast as they are taken.

    Answers the seconds to each acknowledgement, how many got none, and what was made.
    """
    made, times, unheard = Events(place, kinds), list[float](), 0
    room = asyncio.Semaphore(AT_ONCE if rate else 64)

    async def one(kind: str, payload: Json) -> None:
        nonlocal unheard
        began = time.perf_counter()
        outcome = await place.world.delivery._attempt(kind, payload)
        times.append(time.perf_counter() - began)
        unheard += outcome.payload is None
        room.release()

    begin, tasks = time.perf_counter(), set[asyncio.Task[None]]()
    for number, (kind, payload) in enumerate(itertools.islice(made, many)):
        if rate and (wait := begin + number / rate - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        await room.acquire()
        task = asyncio.create_task(one(kind, payload))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return sorted(times), unheard, made


def lost(place: Place, made: Events) -> int:
    """Payloads for the bot that do not stand in its inbox."""
    with closing(sqlite3.connect(place.data / "ftbot.db")) as db:
        kept = {str(key) for (key,) in db.execute("SELECT key FROM inbox")}
    return sum(key not in kept for key in made.ours)


async def acknowledgements(rate: float, seconds: float) -> None:
    """(a)"""
    many = int(rate * seconds)
    with tempfile.TemporaryDirectory() as folder:
        async with place(Path(folder)) as here:
            began = time.perf_counter()
            times, unheard, made = await send(here, many, rate)
            took = time.perf_counter() - began
            print(f"(a) {many} payloads of {len(KINDS)} kinds, {many / took:.0f} a second (aim: {rate:.0f})")
            p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
            over = sum(one > LATE for one in times)
            ms = ", ".join(f"{1e3 * one:.0f} ms" for one in (p50, p99, times[-1]))
            print(f"    acknowledged after {ms} (p50, p99, longest); over 3 s: {over}; never: {unheard};")
            print(f"    of {len(made.ours)} for the bot, {lost(here, made)} are not in its inbox")


async def memory(many: int, before: Any, jobs: int) -> None:
    """(d)"""
    with tempfile.TemporaryDirectory() as folder:
        async with place(Path(folder)) as here:
            await asyncio.sleep(SETTLED)
            rest = await here.memory()
            await send(here, many // 10, None, CALM)
            warm = await here.memory()
            await send(here, many - many // 10, None, CALM)
            after = await here.memory()
    with tempfile.TemporaryDirectory() as folder:
        async with place(Path(folder), before) as here:
            await asyncio.sleep(SETTLED)
            full = await here.memory()
    print(f"(d) memory: {rest:.0f} MB at rest, {full:.0f} MB with {jobs} open jobs: {full / rest:.2f} times;")
    print(f"    {warm:.0f} MB after {many // 10} events, {after:.0f} MB after {many}:", end=" ")
    print(f"{after / warm:.2f} times")

"""(c): what ftbot adds to the first token of an answer, beside the bare SDK's stream of the same provider."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from openai import AsyncOpenAI

from bench.support.place import Place, place
from tests.support.provider import BASE

Json = dict[str, Any]

WAIT = 120.0
NUMBERS = itertools.count(1)


async def first_tokens(streams: tuple[int, ...], rounds: int) -> None:
    """Prints both for each number of streams at once."""
    with tempfile.TemporaryDirectory() as folder:
        async with place(Path(folder)) as here:
            here.provider.answer = lambda body: "a short answer in several pieces"
            await _through_ftbot(here, 1)  # the first answer of a process takes longer
            for many in streams:
                bare, ours = list[float](), list[float]()
                for _ in range(rounds):
                    bare += await _bare(here, many)
                    ours += await _through_ftbot(here, many)
                print_ratio(many, statistics.median(bare), statistics.median(ours), max(ours))


def print_ratio(many: int, bare: float, ours: float, longest: float) -> None:
    print(f"(c) {many} at once: first token after {1e3 * bare:.0f} ms from the SDK,", end=" ")
    print(f"in Slack after {1e3 * ours:.0f} ms (longest {1e3 * longest:.0f}):", end=" ")
    print(f"{1e3 * (ours - bare):.0f} ms added")


async def _bare(here: Place, many: int) -> list[float]:
    async with AsyncOpenAI(base_url=here.provider.base_url, api_key="sk-bench") as client:

        async def one() -> float:
            began = time.perf_counter()
            stream = await client.chat.completions.create(
                model=BASE, messages=[{"role": "user", "content": "hi"}], stream=True
            )
            took = 0.0
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content and not took:
                    took = time.perf_counter() - began
            return took

        await one()  # opens a connection, as the bot has one
        return list(await asyncio.gather(*(one() for _ in range(many))))


async def _through_ftbot(here: Place, many: int) -> list[float]:
    """A question in a channel of its own each; from the message's own time to the first words in Slack."""
    fresh = aiohttp.TCPConnector(force_close=True)  # the workspace closes idle connections after some seconds
    async with aiohttp.ClientSession(connector=fresh, headers={"X-Localslack-User": "jin"}) as web:
        rooms = [await _room(here, web) for _ in range(many)]
        asked = await asyncio.gather(*(_ask(here, web, room) for room in rooms))
        end = time.perf_counter() + WAIT
        while time.perf_counter() < end:
            await asyncio.sleep(0.2)
            begun = await _begun(here, web)
            if all(ts in begun for ts in asked):
                return [begun[ts] - float(ts) for ts in asked]
    raise RuntimeError("no answer came")


async def _room(here: Place, web: aiohttp.ClientSession) -> str:
    """A new channel with the bot in it."""
    made = {"name": f"bench-{next(NUMBERS)}", "is_private": False}
    room = str((await _post(here, web, "channels", made))["channel"]["id"])
    await _post(here, web, f"channels/{room}/members", {"user": here.world.me.bot_user_id})
    return room


async def _ask(here: Place, web: aiohttp.ClientSession, room: str) -> str:
    said = await _post(here, web, f"channels/{room}/messages", {"text": f"@ftbot ask {BASE} hi"})
    return str(said["message"]["ts"])


async def _begun(here: Place, web: aiohttp.ClientSession) -> dict[str, float]:
    """When the first words of an answer reached Slack, by the thread they stand in."""
    found: dict[str, float] = {}
    for call in (await _post(here, web, "control", {"calls": True}))["calls"]:
        if call["ok"] and call["method"] in ("chat.startStream", "chat.postMessage"):
            found.setdefault(str(call["args"].get("thread_ts")), float(call["at"]))
    return found


async def _post(here: Place, web: aiohttp.ClientSession, path: str, body: Json) -> Json:
    async with web.post(f"{here.world.base_url}/ui/{path}", json=body) as answer:
        return await answer.json()

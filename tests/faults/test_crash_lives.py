"""The bot is killed at drawn moments; every thread is held against the provider's truth.

Several jobs live at once, so that one kill hits each of them somewhere else in its life.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from demo.person import words
from handlers.posting import notices_in
from tests.faults.places import FaultyPlace, faulty_place, train
from tests.support.workspace import chat_file, choose, typed

LIVES = int(os.environ.get("FTBOT_FAULT_LIVES", "20"))
AT_ONCE = 20
KILLS = 3
LONGEST = 4.0
SEED = 6
EPOCHS = 3

pytestmark = [pytest.mark.timeout(120 + LIVES * 20)]


async def test_however_often_the_bot_is_killed_no_notice_is_lost_doubled_or_out_of_order(
    tmp_path: Path,
) -> None:
    drawn = random.Random(SEED)
    async with faulty_place(tmp_path) as place:
        channels = [await place.channel() for _ in range(LIVES)]
        for begin in range(0, LIVES, AT_ONCE):
            await lives(place, channels[begin : begin + AT_ONCE], begin, drawn)
    assert place.provider.count("POST", "/fine_tuning/jobs") >= LIVES
    intents = [body["metadata"]["ftbot_intent"] for body in place.provider.created]
    assert len(intents) == len(set(intents)), "an intent was created twice"


async def lives(place: FaultyPlace, channels: list[str], first: int, drawn: random.Random) -> None:
    """Some jobs and the kills that hit them."""
    training: set[asyncio.Task[None]] = set()
    known = len(place.provider.jobs)

    async def provider_works() -> None:
        taken = known
        while True:
            for job in place.provider.jobs[taken:]:
                training.add(asyncio.create_task(train(place.provider, job, pause=drawn.uniform(0.2, 0.6))))
            taken = len(place.provider.jobs)
            await asyncio.sleep(0.05)

    for channel in channels:
        await place.drop(channel, "train.jsonl", chat_file(12, channel))
    working = asyncio.create_task(provider_works())
    try:
        for number, channel in enumerate(channels, first):
            await place.ready(channel, 1)
            view = await place.open_form(channel)
            answer = await place.jin.submit(
                view, choose(view, "dataset", "train.jsonl") | typed(view, "name", f"life{number}")
            )
            assert answer["ok"], answer
        for _ in range(KILLS):
            await asyncio.sleep(drawn.uniform(0.0, LONGEST))
            await place.kill()
            await place.programs.start_bot()
        for number, channel in enumerate(channels, first):
            await check(place, channel, f"life{number}-1")
    finally:
        working.cancel()
        await asyncio.gather(working, *training, return_exceptions=True)


async def check(place: FaultyPlace, channel: str, name: str) -> None:
    """One card, and under it every epoch once and in order with one picture a message, then the end."""
    card = await place.root(channel, name)
    await place.finished(channel, card)
    cards = [m for m in await place.jin.messages(channel) if "bot_id" in m and name in words(m)]
    assert len(cards) == 1
    posted = await place.posted(channel, str(card["ts"]))
    told = [one.split(":") for message in posted for one in notices_in(message)]
    epochs = [["job_epoch", str(number)] for number in range(1, EPOCHS + 1)]
    assert [[kind, *rest] for kind, _, *rest in told] == [*epochs, ["job_finished"]], name
    for message in posted:
        pictures = [block for block in message["blocks"] if block["type"] == "image"]
        wanted = any(one.startswith("job_epoch") for one in notices_in(message))
        assert len(pictures) == wanted, name

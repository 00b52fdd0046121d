"""The bot is killed at drawn moments while a real trainer works; every thread is held against its truth.

Several jobs live at once, so that one kill hits each of them somewhere else in its life.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest

from demo.provider import ProviderTruth
from tests.faults.places import told_truly
from tests.support.workspace import Workspace, chat_file, choose, typed, workspace

Json = dict[str, Any]

LIVES = int(os.environ.get("FTBOT_FAULT_LIVES", "20"))
AT_ONCE, CHANNELS = 20, 4
LONGEST = 16.0
"""Seconds between two kills at most."""
SEED = 6
OVER = ("succeeded", "failed", "cancelled")

pytestmark = [pytest.mark.timeout(120 + LIVES * 30)]


async def test_however_often_the_bot_is_killed_no_notice_is_lost_doubled_or_out_of_order(
    tmp_path: Path,
) -> None:
    drawn = random.Random(SEED)
    async with workspace(tmp_path) as place:
        truth = ProviderTruth(place.programs.running["trainserver"].url, place.programs.api_key)
        try:
            for first in range(0, LIVES, AT_ONCE):
                await lives(place, truth, range(first, min(first + AT_ONCE, LIVES)), drawn)
            made = await truth.newest_jobs(100)
        finally:
            await truth.close()
    intents = [job["metadata"]["ftbot_intent"] for job in made]
    assert len(intents) == len(set(intents)) == min(LIVES, 100), "one job of each intent"


async def lives(place: Workspace, truth: ProviderTruth, numbers: range, drawn: random.Random) -> None:
    """Some jobs, begun at once and trained one after the other, and kills until the last has ended."""
    rooms = [await place.channel() for _ in range(CHANNELS)]
    for room in rooms:
        await place.drop(room, "train.jsonl", chat_file(12, f"life {numbers.start}"))
    channels = {number: rooms[number % CHANNELS] for number in numbers}
    for number, channel in channels.items():
        await place.ready(channel, 1)
        view = await place.open_form(channel)
        values = choose(view, "dataset", "train.jsonl") | typed(view, "name", f"life{number}")
        await place.submitted(view, values)
    begun = False
    while not begun or any(job["status"] not in OVER for job in await truth.newest_jobs(len(numbers))):
        await asyncio.sleep(drawn.uniform(0.0, LONGEST))
        await place.kill()
        await place.programs.start_bot()
        begun = begun or len(await truth.newest_jobs(100)) >= min(numbers.stop, 100)
    theirs = {name_of(job): job for job in await truth.newest_jobs(len(numbers))}
    for number, channel in channels.items():
        await told_truly(place, channel, f"life{number}-1", theirs[f"life{number}-1"])


def name_of(job: Json) -> str:
    """What ftbot calls a job: the suffix that it gave its model."""
    return str(job["user_provided_suffix"])

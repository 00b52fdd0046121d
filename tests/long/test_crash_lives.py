"""The bot is killed at drawn moments of a job's life; its thread is held against the provider's truth."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from demo.person import words
from demo.provider import ProviderTruth
from tests.support.workspace import Workspace, workspace

LIVES = int(os.environ.get("FTBOT_CRASH_LIVES", "12"))
SEED = 11
MOST_KILLS = 3
LONGEST_LIFE = 6.0

pytestmark = [pytest.mark.long, pytest.mark.timeout(LIVES * 120)]


async def test_however_often_the_bot_is_killed_every_notice_comes_once_and_in_order(tmp_path: Path) -> None:
    drawn = random.Random(SEED)
    async with workspace(tmp_path) as place:
        truth = ProviderTruth(place.programs.running["trainserver"].url, place.programs.api_key)
        try:
            for life in range(LIVES):
                await live(place, truth, f"life{life}", drawn)
        finally:
            await truth.close()


async def live(place: Workspace, truth: ProviderTruth, name: str, drawn: random.Random) -> None:
    """One job with up to three kills at drawn moments."""
    channel = await place.channel()
    card = await place.start_job(channel, 20, name=name)
    for _ in range(drawn.randint(1, MOST_KILLS)):
        await asyncio.sleep(drawn.uniform(0.0, LONGEST_LIFE))
        bot = place.programs.running.pop("bot")
        os.kill(bot.process.pid, signal.SIGKILL)
        await bot.process.wait()
        await place.programs.start_bot()
    await place.finished(channel, card)

    job = await truth.newest_job()
    assert job is not None
    assert job["status"] == "succeeded"
    epochs = [m for m in await truth.metrics(job["id"]) if m.get("full_valid_loss") is not None]
    thread = await place.jin.thread(channel, str(card["ts"]))
    said = [line for message in thread[1:] if "bot_id" in message for line in words(message).splitlines()]
    kinds = [found for line in said if (found := kind(line))]
    expected = [f"Epoch {number} of {len(epochs)}" for number in range(1, len(epochs) + 1)]
    assert kinds == [*expected, "safety", "ready"], (name, said)
    cards = [m for m in await place.jin.messages(channel) if f"{name}-1" in words(m)]
    assert len(cards) == 1


def kind(line: str) -> str:
    """What a line says; notices that were due together are one message of several lines."""
    if "Safety:" in line:
        return "safety"
    return "ready" if "is ready" in line else line.split(" · ")[0] if line.startswith("Epoch ") else ""

"""The engine dies at drawn moments of a whole job life; the thread gets everything once and in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from storage import jobs
from tests.unit.tuning.jobs.conftest import Works

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"
STEPS = 12


def notches(works: Works) -> list[Callable[[], object]]:
    """What happens at the provider, one after the other, once the job exists there."""
    provider = works.house.provider

    def status(value: str) -> Callable[[], object]:
        return lambda: provider.jobs[0].update(status=value)

    def step(number: int) -> Callable[[], object]:
        return lambda: provider.step("ftjob-1", number, STEPS, 1 / number)

    def succeed() -> None:
        provider.checkpoint("ftjob-1", STEPS, MODEL)
        provider.event("ftjob-1", "The job has successfully completed")
        provider.jobs[0].update(status="succeeded", fine_tuned_model=MODEL, trained_tokens=9)

    return [status("queued"), status("running"), *(step(n) for n in range(1, STEPS + 1)), succeed]


async def die_or_live(works: Works, chance: random.Random) -> None:
    """Some time passes; the engine works on what is due, and perhaps dies in the middle of it."""
    works.house.now += 400
    await works.engine.tick()
    if chance.random() < 0.5:
        for _ in range(chance.randrange(60)):
            await asyncio.sleep(0)
        await asyncio.sleep(chance.random() * 0.02)
        await works.new_life()
    else:
        await works.engine.settle()


@pytest.mark.parametrize("seed", range(8))
async def test_a_life_with_many_deaths_tells_the_provider_s_truth(works: Works, seed: int) -> None:
    chance = random.Random(seed)
    dataset = await works.house.dataset()
    await works.engine.start(works.request(dataset.id))
    while not (works.house.provider.jobs and (await works.job()).provider_job_id):
        await die_or_live(works, chance)
    for happen in notches(works):
        happen()
        await die_or_live(works, chance)
    for _ in range(4):
        await works.pass_time()
    assert len(works.house.provider.created) == 1
    assert len(works.house.provider.files) == 1
    kept = await works.house.store.read(lambda db: jobs.events_of(db, 1))
    assert [e.event_id for e in kept] == [e["id"] for e in works.house.provider.events["ftjob-1"]]
    assert await works.kinds() == ["job_epoch:1:1", "job_epoch:1:2", "job_epoch:1:3", "job_finished:1"]
    assert (await works.job()).state == "ready"


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "cut off"])
async def test_a_death_in_the_middle_of_an_upload_leaves_one_file_at_the_provider(
    works: Works, arrived: bool
) -> None:
    provider = works.house.provider
    provider.fault("POST", "/files", status=504, after=arrived, hang=0.5)
    dataset = await works.house.dataset()
    await works.engine.start(works.request(dataset.id))
    await works.until(lambda: provider.count("POST", "/files") == 1 and len(provider.files) == arrived)
    await works.new_life()
    for _ in range(3):
        await works.pass_time()
    assert len(provider.files) == 1
    assert (await works.job()).state == "accepted"

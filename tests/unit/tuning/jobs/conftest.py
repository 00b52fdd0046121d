"""An engine over the house of tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from storage import jobs, outbox
from storage.records import Job, Notice
from tests.support.provider import BASE
from tests.unit.tuning.conftest import House
from tuning.jobs import Engine, Intake, StartRequest


@dataclass
class Works:
    """The engine with its house; lives may end and begin again on the same store."""

    house: House
    engine: Engine
    pool: ThreadPoolExecutor
    lives: list[Engine] = field(default_factory=list[Engine])

    def request(self, dataset_id: int, **fields: Any) -> StartRequest:
        values: dict[str, Any] = {
            "intent": "V1", "dataset_id": dataset_id, "validation_id": None, "provider": "openai",
            "base": BASE, "suffix": "triage", "epochs": 3, "batch_size": None,
            "learning_rate_multiplier": None, "seed": None, "channel": "C1", "owner": "U1",
        }  # fmt: skip
        return StartRequest(**(values | fields))

    async def started(self, **fields: Any) -> Job:
        """A job that the provider has accepted."""
        dataset = await self.house.dataset()
        job = await self.engine.start(self.request(dataset.id, **fields))
        await self.engine.settle()
        return await self.job(job.id)

    async def pass_time(self, seconds: float = 400.0) -> None:
        """Lets time pass, then advances everything until nothing is under way."""
        self.house.now += seconds
        await self.engine.tick()
        await self.engine.settle()

    async def until(self, true: Callable[[], bool]) -> None:
        """Waits for something that happens on its own."""
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.005)

    async def job(self, job_id: int = 1) -> Job:
        return await self.house.store.read(lambda db: jobs.get(db, job_id))

    async def notices(self) -> list[Notice]:
        """Everything that goes into the job's thread, in order."""
        kinds = (
            "job_epoch",
            "job_safety",
            "job_finished",
            "job_failed",
            "job_cancelled",
            "job_paused",
            "job_resumed",
        )
        found = await self.house.store.read(lambda db: [n for k in kinds for n in outbox.of_kind(db, k)])
        return sorted(found, key=lambda n: n.seq)

    async def kinds(self) -> list[str]:
        return [n.id for n in await self.notices()]

    async def dirty(self, job_id: int = 1) -> int:
        card = await self.house.store.read(lambda db: outbox.card(db, f"job:{job_id}"))
        assert card is not None
        return card.dirty

    async def new_life(self) -> Engine:
        """The process died and started again."""
        await self.engine.close()
        self.engine = build(self.house, self.pool)
        self.lives.append(self.engine)
        return self.engine


def build(house: House, pool: ThreadPoolExecutor) -> Engine:
    intake = Intake(house.store, house.providers, house.clock, cast("Any", pool), house.folder / "kept")
    return Engine(house.store, house.providers, house.clock, intake, poll_min=10, poll_max=300)


@pytest.fixture
async def works(house: House) -> AsyncIterator[Works]:
    with ThreadPoolExecutor(1) as pool:
        made = Works(house, build(house, pool), pool)
        yield made
        await made.engine.close()

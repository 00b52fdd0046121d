"""Delivery on a real workspace and a real store; providers and prices are played."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from handlers.delivery import Delivery
from handlers.house import House
from localslack.app import Options, running
from localslack.world import World
from storage import datasets, jobs, outbox
from storage.records import Card, Dataset, Job, Notice
from storage.store import Store
from tests.support.house import house_in
from tests.support.samples import NOW, a_dataset, a_job
from tests.support.surfaces import ROOT, Person


@dataclass
class Clock:
    """A clock that tests turn."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Outgoing:
    """What a test of delivery reaches."""

    world: World
    house: House
    clock: Clock
    jin: Person

    @property
    def store(self) -> Store:
        return self.house.store

    def channel(self, name: str = "tuning") -> str:
        return next(c.id for c in self.world.store.channels() if c.name == name)

    async def dm(self) -> str:
        """The direct messages between jin and the bot."""
        body = {"user": self.house.bot_user_id}
        return str((await self.jin.ask("POST", "/dm", body))["channel"]["id"])

    def delivery(self) -> Delivery:
        """A delivery as after a fresh start."""
        return Delivery(self.house, edit_every=0.0)

    async def deliver(self, delivery: Delivery | None = None, *, rounds: int = 3) -> Delivery:
        """Sends what is due, time passing a little between the rounds."""
        working = delivery or self.delivery()
        for _ in range(rounds):
            await working.step()
            await working.settled()
            self.clock.now += 5
        return working

    async def texts(self, channel: str, thread: str | None = None) -> list[str]:
        """What the bot said there, oldest first."""
        where = self.jin.thread(channel, thread) if thread else self.jin.messages(channel)
        return [m["text"] for m in await where if "bot_id" in m]

    async def note(self, notice_id: str, text: str, channel: str, **fields: Any) -> Notice:
        """Puts a plain notice out."""
        notice = Notice(notice_id, "note", channel, {"text": text}, self.clock(), **fields)
        await self.store.write(lambda db: outbox.add(db, notice))
        return notice

    async def drop(self, channel: str, **changes: Any) -> Dataset:
        """A drop with its record and card."""
        ts = await self.jin.drop(channel, "triage.jsonl", b'{"messages": []}\n')
        await self.house.client.reactions_add(channel=channel, timestamp=ts, name="eyes")
        dataset = a_dataset(channel=channel, thread=ts, drop_id=f"{channel}:{ts}:F1", **changes)

        def keep(db: Any) -> Dataset:
            kept = datasets.add(db, dataset)
            assert kept is not None
            key = f"drop:{kept.id}"
            body = {"dataset_id": kept.id}
            notice = Notice(
                f"drop_card:{kept.id}", "drop_card", channel, body, self.clock(), thread=ts, card=key
            )
            outbox.add(db, notice, Card(key, "drop_card", kept.id, channel, ts))
            return kept

        return await self.store.write(keep)

    async def job(self, channel: str, dataset: Dataset, **changes: Any) -> Job:
        """A job with its card."""

        def keep(db: Any) -> Job:
            job = jobs.add(db, a_job(channel=channel, dataset_id=dataset.id, provider="trainer", **changes))
            notice = Notice(
                f"job_card:{job.id}", "job_card", channel, {"job_id": job.id}, self.clock(), card=job.card
            )
            outbox.add(db, notice, Card(job.card, "job_card", job.id, channel))
            return job

        return await self.store.write(keep)

    async def tell(self, job: Job, kind: str, **body: Any) -> None:
        """A notice in the job's thread."""
        whole = {"job_id": job.id, **body}
        notice = Notice(f"{kind}:{job.id}", kind, job.channel, whole, self.clock(), thread_of=job.card)
        await self.store.write(lambda db: outbox.add(db, notice))


@asynccontextmanager
async def outgoing(folder: Path) -> AsyncGenerator[Outgoing]:
    """A workspace, a store and everything delivery needs."""
    options = Options(data=folder / "slack", manifest=ROOT / "manifest.yml")
    async with running(options) as world, aiohttp.ClientSession() as session:
        store, clock = Store(folder / "ftbot.db"), Clock()
        house = house_in(world, session, store, folder, clock=clock, file_hosts=frozenset())
        yield Outgoing(world, house, clock, Person(session, world.base_url, "jin"))
        await store.close()
        assert world.malformed.list() == []

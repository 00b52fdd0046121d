"""The surfaces with the real chat of floor 2 on a provider to program, and a model of a private channel."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import datasets, jobs
from storage.records import Checkpoint, Job
from storage.store import Store
from tests.support.provider import BASE, FakeProvider, serving
from tests.support.samples import a_dataset, a_job
from tests.support.surfaces import Person, Surfaces, surfaces
from tuning.chat.service import Chat
from tuning.providers import ProviderConfig, Providers


@dataclass
class Talkers:
    """Jin is in the private channel *secret*, where he made ``classified-7``; Mina is not."""

    slack: Surfaces
    provider: FakeProvider
    secret: str
    job: Job

    @property
    def store(self) -> Store:
        return self.slack.store

    async def dm(self, person: Person) -> str:
        """The direct messages of a person with ftbot."""
        body = {"user": self.slack.house.bot_user_id}
        return str((await person.ask("POST", "/dm", body))["channel"]["id"])

    def somebody(self, name: str) -> Person:
        """Another person of the workspace, once they were added."""
        jin = self.slack.jin
        return Person(jin._session, jin._base, name)

    async def add(self, name: str, **kind: bool) -> Person:
        """A new person (``guest``, ``stranger``) in #tuning."""
        await self.slack.jin.ask("POST", "/people", {"name": name, **kind})
        await self.slack.jin.ask("POST", "/channels/tuning/members", {"user": name})
        return self.somebody(name)


def _fill(channel: str, owner: str) -> Any:
    def keep(db: Any) -> Job:
        dropped = a_dataset(
            channel=channel,
            name="classified.jsonl",
            drop_id=f"{channel}:1.0:F1",
            user=owner,
            system_prompt="Sort tickets.",
        )
        kept = datasets.add(db, dropped)
        assert kept is not None
        job = jobs.add(
            db,
            a_job(
                channel=channel,
                dataset_id=kept.id,
                base=BASE,
                provider_job_id="ftjob-hidden",
                name="classified-7",
                suffix="classified",
                owner=owner,
                state="ready",
                fine_tuned_model="ft:hidden",
            ),
        )
        for number, model in ((1, "ft:hidden:1"), (2, "ft:hidden")):
            jobs.put_checkpoint(db, Checkpoint(job.id, f"c{number}", model, number, number, 1.0))
        return job

    return keep


@asynccontextmanager
async def talkers(folder: Path, *, private: bool = True) -> AsyncGenerator[Talkers]:
    """Everything, with the job in a channel of its own; ``private``: it is one that others do not see."""
    async with serving(FakeProvider()) as provider:
        providers = Providers([ProviderConfig("openai", provider.base_url, "sk-x")], timeout=5, retries=0)

        def real(store: Store) -> dict[str, Any]:
            chat = Chat(store, providers, lambda: 1_795_000_000.0, loading_wait=0.0)
            return {"chat": chat, "providers": providers}

        async with surfaces(folder, real) as slack:
            made = await slack.jin.ask("POST", "/channels", {"name": "secret", "is_private": private})
            channel = str(made["channel"]["id"])
            body = {"user": slack.house.bot_user_id}
            await slack.jin.ask("POST", f"/channels/{channel}/members", body)
            job = await slack.store.write(_fill(channel, slack.user("jin")))
            yield Talkers(slack, provider, channel, job)
        await providers.close()

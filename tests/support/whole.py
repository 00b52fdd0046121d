"""The surfaces of the bot with the real floor 2 behind them, beside a provider that a test programs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from storage import datasets
from storage.records import Dataset
from storage.store import Store
from tests.support.provider import FakeProvider, serving
from tests.support.samples import a_dataset
from tests.support.surfaces import Surfaces, surfaces
from tuning.chat.service import Chat
from tuning.jobs import Engine, Intake
from tuning.providers import ProviderConfig, Providers

NOW = 1_790_000_000.0


@asynccontextmanager
async def place(folder: Path, **caps: Any) -> AsyncGenerator[tuple[Surfaces, FakeProvider]]:
    """A workspace with a provider; ``caps``: ``max_job_usd`` and ``month_tokens``."""
    async with serving(FakeProvider()) as provider:
        providers = Providers([ProviderConfig("openai", provider.base_url, "sk-test")], timeout=5, retries=0)
        with ThreadPoolExecutor(1) as pool:

            def real(store: Store) -> dict[str, Any]:
                intake = Intake(store, providers, lambda: NOW, cast(Any, pool), folder / "kept")
                most = caps.get("max_job_usd")
                engine = Engine(store, providers, lambda: NOW, intake, max_job_usd=most)
                chat = Chat(store, providers, lambda: NOW, month_tokens=caps.get("month_tokens"))
                return {"providers": providers, "intake": intake, "engine": engine, "chat": chat}

            async with surfaces(folder, real) as slack:
                yield slack, provider
                await slack.house.engine.close()
        await providers.close()


async def dropped(slack: Surfaces, folder: Path) -> Dataset:
    """Data that is ready in #tuning, with its bytes kept."""
    path = folder / "triage.jsonl"
    path.write_text('{"messages": []}\n', "utf-8")
    made = a_dataset(channel=slack.channel("tuning"), method="supervised", path=str(path))
    kept = await slack.store.write(lambda db: datasets.add(db, made))
    assert kept is not None
    return kept

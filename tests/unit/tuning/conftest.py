"""A store, a provider on a real socket, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from storage import datasets
from storage.records import Dataset
from storage.store import Store
from tests.support.provider import FakeProvider, serving
from tuning.providers import Gateway, ProviderConfig, Providers

REPORT: dict[str, Any] = {
    "file": "triage.jsonl", "sha256": "a" * 64, "bytes": 100, "method": "supervised", "examples": 12,
    "rows": 12, "verdict": "accept", "problems": [], "bad_rows": 0, "system_prompt": "Route it.",
    "tools": None, "multi_system": 1, "cost": None,
    "tokens": {
        "total": 1000, "median": 80, "p95": 90, "max": 100, "over_limit": 0, "limit": 65536,
        "encoding": "o200k_base", "exact": True,
    },
}  # fmt: skip


@dataclass
class House:
    """What a test of floor 2 works with."""

    store: Store
    provider: FakeProvider
    providers: Providers
    folder: Path
    now: float = 1_790_000_000.0
    opened: list[Store] = field(default_factory=list[Store])

    def clock(self) -> float:
        return self.now

    async def dataset(self, name: str = "triage.jsonl", sha: str = "a", **fields: Any) -> Dataset:
        """A dataset that passed its check in #tuning, with its bytes kept."""
        path = self.folder / f"{sha * 64}.jsonl"
        path.write_text(f'{{"messages": [{{"role": "user", "content": "{sha * 20}"}}]}}\n')
        known = len(await self.store.read(lambda db: datasets.in_channel(db, "C1")))
        values: dict[str, Any] = {
            "id": 0, "name": name, "version": 1, "channel": "C1", "thread": "100.1", "user": "U1",
            "drop_id": f"drop-{known}-{sha}-{name}", "state": "ready", "created_at": self.now,
            "sha256": sha * 64, "bytes": 100, "method": "supervised", "examples": 12, "tokens": 1000,
            "path": str(path), "system_prompt": "Route it.", "report": REPORT,
        }  # fmt: skip
        made = await self.store.write(lambda db: datasets.add(db, Dataset(**(values | fields))))
        assert made is not None
        return made


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with serving(FakeProvider()) as running:
        yield running


@pytest.fixture
async def gateway(provider: FakeProvider) -> AsyncIterator[Gateway]:
    made = Gateway(provider.base_url, "sk-test", timeout=5.0, retries=0)
    yield made
    await made.close()


@pytest.fixture
async def house(provider: FakeProvider, tmp_path: Path) -> AsyncIterator[House]:
    store = Store(tmp_path / "ftbot.db")
    config = ProviderConfig("openai", provider.base_url, "sk-test")
    providers = Providers([config], timeout=2.0, retries=0)
    made = House(store, provider, providers, tmp_path)
    yield made
    for opened in {providers, made.providers}:
        await opened.close()
    await store.close()

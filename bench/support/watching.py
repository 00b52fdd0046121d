"""(b): open jobs at a provider in turned time: calls a minute and how late events are known."""

from __future__ import annotations

import statistics
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from storage import datasets, jobs
from storage.records import Dataset, Job
from storage.store import Store
from tests.support.provider import BASE, FakeProvider, serving
from tuning.jobs.engine import Engine
from tuning.providers import ProviderConfig, Providers

STEP = 30.0
"""Seconds of turned time between two steps of a training job."""


class Turned:
    """A clock that is turned by hand."""

    now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


async def watch(open_jobs: int, training: int, seconds: int) -> None:
    """Watches jobs for some turned seconds and prints calls and lag."""
    clock = Turned()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1):
        async with serving(FakeProvider()) as provider:
            store = Store(Path(folder) / "ftbot.db")
            providers = Providers([ProviderConfig("openai", provider.base_url, "sk-bench")], timeout=60.0)
            engine = Engine(store, providers, clock, cast(Any, None), poll_min=10.0)
            await store.write(lambda db: fill(db, provider, open_jobs, training))
            await engine.tick()
            await engine.settle()
            provider.calls.clear()
            lags = await live(engine, store, provider, clock, training, seconds)
            await engine.close()
            await providers.close()
            await store.close()
    calls = len(provider.calls) / seconds * 60
    lag = statistics.median(lags) if lags else float("nan")
    worst = statistics.quantiles(lags, n=100)[98] if len(lags) > 1 else lag
    naive = 3 * open_jobs / max(2 * statistics.mean(lags or [0.0]), 10.0) * 60
    print(
        f"(b) {open_jobs} open, {training} training: {calls:.0f} calls a minute, lag p50 {lag:.0f} s,",
        end=" ",
    )
    print(f"p99 {worst:.0f} s; polling each job {naive:.0f} calls: {naive / calls:.1f} times")


def fill(db: Any, provider: FakeProvider, open_jobs: int, training: int, *, name: str = "openai") -> None:
    """Keeps open jobs of one provider, the first ``training`` of them running."""
    kept = datasets.add(
        db, Dataset(0, "bench.jsonl", 1, "C1", "1.0", "U1", "C1:1.0:F1", "ready", 1.0, sha256="a" * 64)
    )
    assert kept is not None
    for number in range(1, open_jobs + 1):
        runs = number <= training
        status = "running" if runs else "queued"
        made = provider.job(status=status, hyperparameters={"n_epochs": 1})
        jobs.add(db, Job(
            0, f"V{number}", f"bench-{number}", "bench", number, name, BASE, kept.id, "C1", "U1",
            "training" if runs else "queued", Turned.now - 3_600, status=status, provider_job_id=made["id"],
        ))  # fmt: skip


async def prepared(data: Path, provider: FakeProvider, *, open_jobs: int, training: int) -> None:
    """A bot's folder with these jobs in it, which the provider has as well."""
    store = Store(data / "ftbot.db")
    await store.write(lambda db: fill(db, provider, open_jobs, training, name="local"))
    await store.close()


async def live(
    engine: Engine, store: Store, provider: FakeProvider, clock: Turned, training: int, seconds: int
) -> list[float]:
    """Lets time pass second by second; answers how long each event waited to be known."""
    lags: list[float] = []
    told: dict[int, tuple[int, float]] = {}
    for second in range(seconds):
        clock.now += 1.0
        provider.clock = clock.now
        for number in range(1, training + 1):
            if (second + number) % int(STEP) == 0:
                step = told.get(number, (0, 0.0))[0] + 1
                provider.step(f"ftjob-{number}", step, 10_000, 1.0)
                told[number] = (step, clock.now)
        await engine.tick()
        await engine.settle()
        found = await store.read(lambda db: jobs.in_states(db, "training"))
        known = {job.number: job.progress.get("step", 0) for job in found}
        for number, (step, at) in list(told.items()):
            if at and known.get(number, 0) >= step:
                lags.append(clock.now - at)
                told[number] = (step, 0.0)
    return lags

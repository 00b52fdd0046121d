"""How the job engine holds under load, printed as ratios; nothing is asserted.

    python bench/engine.py            some minutes
    python bench/engine.py --smoke    a small run that only has to go through

(a) Messages are posted as fast as the local workspace takes them, and one bot acknowledges them: p50 and
    p99 are upper ends of the histogram's buckets. The workspace runs on the same cores and may limit it.
(b) Open jobs at a provider, most of them waiting, then all of them training, in turned time: calls a minute
    and the lag of events, beside a poller that asks three things about every job (retrieve, events,
    checkpoints) at the interval that gives it the same mean lag, ten seconds at least; its calls are
    computed, not made.
(d) The bot's memory at rest and after the messages of (a).

Not measured here yet: (c) the time that ftbot adds to the first token of an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import aiohttp

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from demo.person import Person  # noqa: E402
from storage import datasets, jobs  # noqa: E402
from storage.records import Dataset, Job  # noqa: E402
from storage.store import Store  # noqa: E402
from tests.faults.places import Played  # noqa: E402
from tests.support.provider import BASE, FakeProvider, serving  # noqa: E402
from tuning.jobs.engine import Engine  # noqa: E402
from tuning.providers import ProviderConfig, Providers  # noqa: E402

STEP = 30.0
"""Seconds of turned time between two steps of a training job."""


# --- (a) and (d) ------------------------------------------------------------------------------------
async def flood(seconds: float, writers: int) -> None:
    """Posts messages for some seconds and reads the bot's own figures."""
    port = 20_000 + os.getpid() % 20_000
    with tempfile.TemporaryDirectory() as folder:
        async with serving(FakeProvider()) as provider:
            more = {"FTBOT_HEALTH_PORT": str(port), "FTBOT_LOG_LEVEL": "error"}
            programs = Played(Path(folder), dict(os.environ), provider_url=provider.base_url, more=more)
            try:
                slack = await programs.start_localslack()
                await programs.start_bot()
                person = Person(slack.url, "jin", programs.check)
                await post_and_report(person, seconds, writers, f"http://127.0.0.1:{port}/metrics")
                await person.close()
            finally:
                await programs.stop()


async def post_and_report(person: Person, seconds: float, writers: int, metrics: str) -> None:
    channel = await person.channel("general")
    before = await figures(metrics)
    end, posted = time.monotonic() + seconds, 0

    async def write() -> None:
        nonlocal posted
        while time.monotonic() < end:
            text = "@ftbot jobs" if posted % 50 == 0 else f"only talk {posted}"
            posted += 1
            await person.say(channel, text)

    await asyncio.gather(*(write() for _ in range(writers)))
    after = before
    for _ in range(600):
        after = await figures(metrics)
        if count(after) - count(before) >= posted:
            break
        await asyncio.sleep(0.1)
    heard = count(after) - count(before)
    print(f"(a) {posted} messages in {seconds:.0f} s = {posted / seconds:.0f} a second (aim: 500)")
    print(f"    acknowledged {heard:.0f} payloads, {max(0.0, posted - heard):.0f} lost", end="; ")
    print(
        f"p50 <= {quantile(after, 0.5):g} s, p99 <= {quantile(after, 0.99):g} s, over 3 s: {over(after):.0f}"
    )
    rest, now = (f["process_resident_memory_bytes"] / 1e6 for f in (before, after))
    print(f"(d) memory {rest:.0f} MB at rest, {now:.0f} MB after {posted} messages: {now / rest:.2f} times")


async def figures(url: str) -> dict[str, float]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.M)}


def count(figure: dict[str, float]) -> float:
    return figure.get("ftbot_slack_ack_seconds_count", 0.0)


def buckets(figure: dict[str, float]) -> list[tuple[float, float]]:
    found = [
        (float(match[1]), value)
        for name, value in figure.items()
        if (match := re.fullmatch(r'ftbot_slack_ack_seconds_bucket\{le="(.+)"\}', name))
    ]
    return sorted(found)


def quantile(figure: dict[str, float], share: float) -> float:
    return next((end for end, many in buckets(figure) if many >= share * count(figure)), float("inf"))


def over(figure: dict[str, float]) -> float:
    return count(figure) - dict(buckets(figure)).get(3.0, 0.0)


# --- (b) ----------------------------------------------------------------------------------------------
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


def fill(db: Any, provider: FakeProvider, open_jobs: int, training: int) -> None:
    kept = datasets.add(
        db, Dataset(0, "bench.jsonl", 1, "C1", "1.0", "U1", "C1:1.0:F1", "ready", 1.0, sha256="a" * 64)
    )
    assert kept is not None
    for number in range(1, open_jobs + 1):
        runs = number <= training
        status = "running" if runs else "queued"
        made = provider.job(status=status, hyperparameters={"n_epochs": 1})
        jobs.add(db, Job(
            0, f"V{number}", f"bench-{number}", "bench", number, "openai", BASE, kept.id, "C1", "U1",
            "training" if runs else "queued", Turned.now - 3_600, status=status, provider_job_id=made["id"],
        ))  # fmt: skip


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


async def main(smoke: bool) -> None:
    await flood(3.0 if smoke else 60.0, 4 if smoke else 64)
    many, few, seconds = (20, 2, 40) if smoke else (1_000, 50, 180)
    await watch(many, few, seconds)
    await watch(many, many, seconds)
    print("(c) not measured: the time added to the first token of an answer")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="a small run that only has to go through")
    asyncio.run(main(parser.parse_args().smoke))

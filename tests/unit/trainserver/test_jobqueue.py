# pyright: basic
"""How many jobs train at once: the real queue, over processes that only wait."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainserver.conftest import DEADLINE, lines
from trainserver import files, jobs, launching, memory
from trainserver.config import Base, Config
from trainserver.database import Database
from trainserver.hyperparameters import Asked
from trainserver.jobqueue import JobQueue
from trainserver.layout import Layout

NAMES = ("j1", "j2", "j3", "j4")


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Four jobs that nobody has looked at yet."""
    monkeypatch.setattr(
        launching, "command", lambda *_: [sys.executable, "-c", "import time; time.sleep(600)"]
    )
    made = Layout(tmp_path / "data")
    made.file("f").parent.mkdir(parents=True)
    made.file("f").write_bytes(lines(10))
    job = jobs.Job("", 0, "validating_files", "tiny", "tiny", "f", None, None, 1, None, Asked())
    with Database(made.database).write() as connection:
        files.add(connection, "f", 1, "rows.jsonl", "fine-tune")
        for name in NAMES:
            jobs.add(connection, replace(job, id=name))
    return made


@pytest.fixture
async def started(layout: Layout, tiny: Path) -> AsyncIterator[Callable[..., JobQueue]]:
    working: list[tuple[JobQueue, asyncio.Task[None]]] = []

    def start(**settings: Any) -> JobQueue:
        config = Config("tiny", {"tiny": Base("tiny", path=tiny)}, **settings)
        queue = JobQueue(Database(layout.database), layout, config, None)
        working.append((queue, asyncio.create_task(queue.run())))
        return queue

    yield start
    for queue, task in working:
        task.cancel()
        await asyncio.wait([task])
        await queue.stop()


def _statuses(layout: Layout) -> dict[str, str]:
    with Database(layout.database).read() as connection:
        return {name: jobs.get(connection, name).status for name in NAMES}


async def _when(probe: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not probe():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


def _cancel(layout: Layout, queue: JobQueue, job_id: str) -> None:
    with Database(layout.database).write() as connection:
        jobs.cancel(connection, job_id)
    queue.cancel(job_id)


async def test_no_more_jobs_train_at_once_than_is_set(layout: Layout, started: Callable[..., JobQueue]):
    queue = started(jobs_at_once=2, memory_gb=64)
    await _when(lambda: set(queue.training_pids) == {"j1", "j2"})
    await _when(lambda: set(_statuses(layout).values()) == {"queued"})
    _cancel(layout, queue, "j1")
    await _when(lambda: set(queue.training_pids) == {"j2", "j3"})
    assert _statuses(layout)["j4"] == "queued"


async def test_jobs_wait_for_each_others_memory(
    layout: Layout, started: Callable[..., JobQueue], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(memory, "training", lambda *_: 5 * memory.GB)
    monkeypatch.setattr(memory, "room", lambda _: 11 * memory.GB)
    queue = started(jobs_at_once=4)
    await _when(lambda: set(queue.training_pids) == {"j1", "j2"})
    await _when(lambda: set(_statuses(layout).values()) == {"queued"})
    _cancel(layout, queue, "j2")
    await _when(lambda: set(queue.training_pids) == {"j1", "j3"})

"""A whole life at our own trainserver: a real program, a real training, the smallest model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from storage import datasets, jobs, outbox
from storage.chat_records import Turn
from storage.records import Dataset
from storage.store import Store
from tests.support.tiny_model import make_tiny_model
from tuning.chat import Chat, Delta, Done
from tuning.jobs import Engine, Intake, StartRequest
from tuning.pictures import loss_picture
from tuning.providers import ProviderConfig, Providers

ROOT = Path(__file__).parents[4]


@asynccontextmanager
async def trainserver(folder: Path) -> AsyncGenerator[str]:
    """The program on a free port; its address."""
    make_tiny_model(folder / "tiny")
    config = folder / "trainserver.toml"
    config.write_text('[bases.tiny]\npath = "tiny"\n')
    command = [sys.executable, "-m", "trainserver", "--port", "0", "--data", str(folder / "data")]
    with (folder / "trainserver.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, "--config", str(config), stdout=asyncio.subprocess.PIPE, stderr=log, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        assert "ready at" in line, (folder / "trainserver.log").read_text()
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


def lines(first: int, count: int) -> str:
    rows = [
        {
            "messages": [
                {"role": "system", "content": "Say it."},
                {"role": "user", "content": f"n {n}"},
                {"role": "assistant", "content": f"number {n}"},
            ]
        }
        for n in range(first, first + count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


async def dropped(store: Store, intake: Intake, path: Path) -> Dataset:
    made = await store.write(
        lambda db: datasets.add(
            db, Dataset(0, path.name, 0, "C1", "1.1", "U1", path.name, "checking", time.time())
        )
    )
    assert made is not None
    return await intake.check(made.id, path)


@pytest.mark.timeout(170)
@pytest.mark.long
async def test_a_job_is_trained_scored_and_talked_to(tmp_path: Path) -> None:
    (tmp_path / "n.jsonl").write_text(lines(0, 12))
    (tmp_path / "val.jsonl").write_text(lines(50, 10))
    with ThreadPoolExecutor(1) as pool:
        async with trainserver(tmp_path) as url:
            store = Store(tmp_path / "ftbot.db")
            providers = Providers([ProviderConfig("local", url, "none")])
            intake = Intake(store, providers, time.time, cast("Any", pool), tmp_path / "kept")
            engine = Engine(store, providers, time.time, intake, poll_min=0.2, poll_max=2.0)
            training = await dropped(store, intake, tmp_path / "n.jsonl")
            validation = await dropped(store, intake, tmp_path / "val.jsonl")
            assert training.state == validation.state == "ready"
            job = await engine.start(
                StartRequest(
                    "V1", training.id, validation.id, "local", "tiny", "numbers", 2, 4, None, 1, "C1", "U1"
                )
            )
            while job.state not in ("ready", "failed", "cancelled"):
                await engine.tick()
                await asyncio.sleep(0.1)
                job = await store.read(lambda db: jobs.get(db, 1))
            assert job.state == "ready", job.error
            assert job.name == "numbers-1"
            assert job.trained_tokens
            assert job.progress["safety"]["total"] == 13
            assert [row["epoch"] for row in job.progress["by_epoch"]] == [1, 2]
            assert all(row["valid_loss"] > 0 for row in job.progress["by_epoch"])
            score = await store.read(lambda db: jobs.evaluation_of(db, 1))
            assert score is not None
            assert [s["total"] for s in score.scores] == [10, 10]
            points = await store.read(lambda db: jobs.checkpoints_of(db, 1))
            assert [c.number for c in points] == [1, 2]
            sent = await store.read(
                lambda db: [
                    n.id for k in ("job_epoch", "job_safety", "job_finished") for n in outbox.of_kind(db, k)
                ]
            )
            assert sent[:2] == ["job_epoch:1:1", "job_epoch:1:2"]
            assert sent[-1] == "job_finished:1"
            chat = Chat(store, providers, time.time)
            thread = await chat.begin("C1", "9.9", "U1", await chat.resolve("C1", None))
            parts = [p async for p in chat.stream(thread, [Turn(1, "C1", "9.9", "user", "n 3", "9.9", 1.0)])]
            assert isinstance(parts[-1], Done)
            assert (await providers.get("local").profile()).responses
            gateway, asked = providers.get("local").gateway, [{"role": "user", "content": "n 3"}]
            whole: list[str] = []
            for responses in (True, False):
                answer = gateway.stream_chat(thread.model, asked, temperature=0, responses=responses)
                whole.append("".join([p.text async for p in answer if isinstance(p, Delta)]))
            assert whole[0] == whole[1] != ""
            events = await store.read(lambda db: jobs.events_of(db, 1))
            assert loss_picture(job, events, points) is not None
            further = await engine.start(
                StartRequest(
                    "V2", training.id, None, "local", str(job.fine_tuned_model), "more", 1, None, None, 1,
                    "C1", "U1",
                )
            )  # fmt: skip
            await engine.settle()
            taken = await store.read(lambda db: jobs.get(db, further.id))
            assert (taken.base, taken.settings["parent"]) == ("tiny", "numbers-1")
            theirs = await gateway.retrieve(str(taken.provider_job_id))
            assert theirs.base == job.fine_tuned_model
            await engine.cancel(further.id, "U1")
            await engine.close()
            await providers.close()
            await store.close()

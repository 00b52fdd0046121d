"""Logging to Weights & Biases, whose package a folder on the path stands in for."""

from __future__ import annotations

import asyncio
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.unit.trainserver.inprocess import Inside
from trainserver import integrations, jobs
from trainserver.hyperparameters import Asked, Resolved

STAND_IN = """
import json, os

def say(**what):
    with open(os.environ["WANDB_HEARD"], "a") as heard:
        heard.write(json.dumps(what) + "\\n")

class Run:
    def __init__(self):
        self.summary = self
    def log(self, numbers, step):
        say(step=step, loss=numbers["train_loss"])
    def update(self, values):
        say(summary=values)
    def finish(self, exit_code):
        say(finish=exit_code)

def init(**options):
    say(init=options)
    return Run()
"""


def ended(app: Inside) -> None:
    """A job of two steps that asked to be logged, and is over."""
    asked = [{"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}]
    job = jobs.Job(
        "ftjob-1", 1, "queued", "tiny", "tiny", "file-x", None, None, 1, None, Asked(), integrations=asked
    )
    app.state.layout.job("ftjob-1").mkdir(parents=True)
    with app.state.database.write() as connection:
        jobs.add(connection, job)
        jobs.mark_running(connection, "ftjob-1", Resolved(1, 1, 1.0))
        for step in (1, 2):
            jobs.mark_step(connection, "ftjob-1", {"step": step, "train_loss": 1 / step}, "Step", 9)
        jobs.mark_succeeded(connection, "ftjob-1", model="m", trained_tokens=1, result_file="file-r")


async def followed(app: Inside) -> None:
    """Keep the followers going until the job is logged to its end."""
    running = asyncio.create_task(integrations.run(app.state.database, app.state.layout, "key"))
    async with asyncio.timeout(60):
        while not (app.state.layout.job("ftjob-1") / "wandb.done").exists():
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.wait([running])


async def test_a_job_is_logged_step_by_step_and_only_once(
    app: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "wandb.py").write_text(STAND_IN)
    heard = tmp_path / "heard"
    monkeypatch.setenv("WANDB_HEARD", str(heard))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(integrations, "LOOK_SECONDS", 0.05)
    ended(app)
    for _ in range(2):
        await followed(app)
    told = [json.loads(line) for line in heard.read_text().splitlines()]
    assert (told[0]["init"]["project"], told[0]["init"]["id"]) == ("p", "ftjob-1")
    assert told[1:3] == [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}]
    assert told[3:] == [{"summary": {"status": "succeeded", "fine_tuned_model": "m"}}, {"finish": 0}]


@pytest.mark.skipif(find_spec("wandb") is None, reason="the extra `wandb` is not installed by `make`")
async def test_the_real_package_takes_it_and_writes_it_down_offline(
    app: Inside, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(integrations, "LOOK_SECONDS", 0.05)
    ended(app)
    await followed(app)
    (written,) = app.state.layout.job("ftjob-1").glob("wandb/offline-run-*-ftjob-1/run-ftjob-1.wandb")
    content = written.read_bytes()
    assert content.count(b"train_loss") >= 2
    assert b"fine_tuned_model" in content

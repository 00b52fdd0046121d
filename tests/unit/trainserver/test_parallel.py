# pyright: basic
"""Several processes on one job, as on a machine with several GPUs; here they are two on the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.trainserver.conftest import Server, lines
from trainserver import events, files, jobs, launching, models
from trainserver.database import Database
from trainserver.hyperparameters import Asked
from trainserver.layout import Layout
from trainserver.parallel import Group
from trainserver.serving import environment

JOB = "ftjob-together"


def test_one_gpu_needs_no_launcher_and_several_get_accelerates():
    alone = launching.command(Path("d"), Path("c"), "j", 1)
    assert alone == [sys.executable, "-m", "trainserver.train", "--data", "d", "--config", "c", "j"]
    together = launching.command(Path("d"), None, "j", 3)
    assert together[:4] == [sys.executable, "-m", "accelerate.commands.launch", "--num_processes=3"]
    assert together[together.index("--module") :] == ["--module", "trainserver.train", "--data", "d", "j"]


def test_each_unit_is_computed_by_one_process():
    shares = [Group(rank, 3).share(range(8)) for rank in range(3)]
    assert sorted(unit for share in shares for unit in share) == list(range(8))
    assert Group().share(range(8)) == range(8)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A data folder with one queued job, just like that of the fixture `trained`."""
    made = Layout(tmp_path)
    database = Database(made.database)
    job = jobs.Job(JOB, 0, "queued", "tiny", "tiny", "file-t", "file-v", "numbers", 5, None, Asked(5, 4, 1.0))
    made.file("x").parent.mkdir()
    with database.write() as connection:
        for name, count in (("file-t", 12), ("file-v", 4)):
            made.file(name).write_bytes(lines(count))
            files.add(connection, name, 1, "rows.jsonl", "fine-tune")
        jobs.add(connection, job)
    return made


@pytest.mark.timeout(600)
def test_two_processes_train_what_one_does_and_tell_it_once(
    layout: Layout, config: Path, server: Server, trained
):
    done = subprocess.run(
        launching.command(layout.root, config, JOB, 2),
        env=environment() | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with Database(layout.database).read() as connection:
        job = jobs.get(connection, JOB)
        told = events.listed(connection, JOB, limit=1000, after=None)[0][::-1]
        kept = models.checkpoints(connection, JOB, limit=10, after=None)[0]
    assert job.status == "succeeded", job.error
    alone = [event for event in server.events(trained.id) if event.type == "metrics"]
    steps = [event.data for event in told if event.type == "metrics"]
    assert len(steps) == len(alone) == 15
    for ours, theirs in zip(steps, alone, strict=True):
        assert ours == pytest.approx(theirs.data, abs=2e-3)
    messages = [event.message for event in told]
    assert len(messages) == len(set(messages))
    assert [point.step for point in kept] == [15, 12, 9]
    ours, theirs = (set(os.listdir(one)) for one in (layout.job(JOB), server.data / "jobs" / trained.id))
    assert ours == theirs - {"train.log"}

# pyright: basic
"""A full disk and a full memory, real ones: the job says so, and the server lives."""

from __future__ import annotations

import asyncio
import json
import resource
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.trainserver.conftest import Server, lines, until
from trainserver import files, jobqueue, jobs
from trainserver.config import Config
from trainserver.database import Database
from trainserver.hyperparameters import Asked
from trainserver.jobqueue import JobQueue
from trainserver.layout import Layout
from trainserver.serving import environment


def test_a_job_whose_disk_is_full_says_so_and_the_server_lives(server: Server):
    job = server.job(hyperparameters={"n_epochs": 50, "batch_size": 4})
    trainer = server.trainer()
    until(lambda: any(event.type == "metrics" for event in server.events(job.id)), "a first step")
    resource.prlimit(trainer, resource.RLIMIT_FSIZE, (1, 1))
    failed = server.finished(job.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "disk_full"
    assert "Make room" in (failed.error.message or "")
    assert server.finished(server.job(hyperparameters={"n_epochs": 1}).id).status == "succeeded"


LITTLE_MEMORY = """
import resource, sys
import peft, torch, transformers.models.llama.modeling_llama
from trainserver.train import main
torch.set_num_threads(1)
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 96 * 2**20,) * 2)
sys.exit(main(sys.argv[1:]))
"""


def test_a_job_that_runs_out_of_memory_says_what_would_do(tmp_path: Path, tiny: Path):
    layout, settings = Layout(tmp_path / "data"), tmp_path / "trainserver.toml"
    settings.write_text(f'max_tokens = 16000\n[bases.tiny]\npath = "{tiny}"\n')
    database = Database(layout.database)
    layout.file("f").parent.mkdir()
    layout.file("f").write_bytes(lines(10, "x" * 15_000))
    with database.write() as connection:
        files.add(connection, "f", 1, "rows.jsonl", "fine-tune")
        jobs.add(connection, jobs.Job("j", 0, "queued", "tiny", "tiny", "f", None, None, 1, None, Asked(1)))
    command = [
        sys.executable,
        "-c",
        LITTLE_MEMORY,
        "--data",
        str(layout.root),
        "--config",
        str(settings),
        "j",
    ]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with database.read() as connection:
        job = jobs.get(connection, "j")
    assert job.error is not None
    assert (job.status, job.error["code"]) == ("failed", "out_of_memory"), json.dumps(job.error)
    assert "Shorter examples" in (job.error["message"] or "")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(tmp_path / "t.db")
    with made.write() as connection:
        jobs.add(connection, jobs.Job("j", 0, "running", "b", "b", "f", None, None, 1, None, Asked()))
    return made


async def test_an_end_that_cannot_be_written_down_yet_is_not_lost(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(jobqueue, "LOOK_SECONDS", 0.01)
    queue = JobQueue(database, Layout(tmp_path), Config("b", {}), None)
    write, failures = database.write, [sqlite3.OperationalError("database or disk is full")] * 3

    def full():
        if failures:
            raise failures.pop()
        return write()

    monkeypatch.setattr(database, "write", full)
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", f"exit({jobqueue.CANNOT_WRITE})")
    queue._training["j"] = jobqueue._Training(ended, asyncio.create_task(asyncio.sleep(0)), 0)
    await queue._watch("j", ended)
    assert queue.training_pids == {}
    with database.read() as connection:
        job = jobs.get(connection, "j")
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["code"] == "disk_full"

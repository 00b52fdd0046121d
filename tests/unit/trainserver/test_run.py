# pyright: basic
"""What a job's process decides: which epochs stay, when to stop, how errors are told."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from trainserver import events, jobs
from trainserver.config import Base, Config
from trainserver.database import Database
from trainserver.errors import BaseUnavailable, JobFailed
from trainserver.hyperparameters import Asked, Resolved
from trainserver.layout import Layout
from trainserver.run import Run
from trainserver.troubles import readable


@pytest.fixture
def run(tmp_path: Path) -> Run:
    layout = Layout(tmp_path)
    job = jobs.Job("j", 0, "running", "b", "b", "f", None, None, 1, None, Asked())
    with Database(layout.database).write() as connection:
        jobs.add(connection, job)
    made = Run(layout, Config("b", {"b": Base("b", path=tmp_path)}), job)
    made.chosen = Resolved(9, 1, 1.0)
    return made


def _ended(*losses: float | None) -> list[tuple[int, int, float | None]]:
    return [(epoch, epoch * 5, loss) for epoch, loss in enumerate(losses, start=1)]


def test_without_early_stopping_the_last_epoch_is_the_model(run: Run):
    run.ended = _ended(3, 1, 2, 2)
    assert not run._stop_early()
    assert run._kept() == [(2, 10), (3, 15), (4, 20)]


def test_early_stopping_keeps_the_best_epoch_and_says_so(run: Run):
    run.config = replace(run.config, early_stopping=2, keep_checkpoints=2)
    run.ended = _ended(3, 1, 2)
    assert not run._stop_early()
    run.ended = _ended(3, 1, 2, 2)
    assert run._stop_early()
    assert run._kept() == [(3, 15), (4, 20), (2, 10)]
    with run.database.read() as connection:
        told = events.listed(connection, "j", limit=1, after=None)[0][0].message
    assert "Stopped after epoch 4" in told
    assert "the one of epoch 2" in told


def test_early_stopping_needs_validation(run: Run):
    run.config = replace(run.config, early_stopping=1)
    run.ended = _ended(None, None, None)
    assert not run._stop_early()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (OSError(errno.EFBIG, "File too large"), "disk_full"),
        (sqlite3.OperationalError("database or disk is full"), "disk_full"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), "out_of_memory"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: not enough memory"), "out_of_memory"),
        (BaseUnavailable("gone"), "base_unavailable"),
        (JobFailed("x", "y"), "x"),
        (RuntimeError("shape"), "server_error"),
    ],
)
def test_what_stops_a_training_is_told_readably(error: Exception, code: str):
    failure = readable(error)
    assert failure.code == code
    assert failure.message


def test_a_process_that_dies_without_a_step_in_between_is_started_only_so_often(run: Run):
    with run.database.write() as connection:
        assert jobs.died(connection, "j", 3)
        assert jobs.died(connection, "j", 3)
        assert not jobs.died(connection, "j", 3)
        events.add(connection, "j", "step:1", "Step", type="metrics", data={"step": 1})
        assert jobs.died(connection, "j", 3)
        jobs.cancel(connection, "j")
        with pytest.raises(jobs.NoLongerActive):
            jobs.died(connection, "j", 3)

"""Paused, killed and resumed jobs go on where they were: no step is lost and none told twice."""

from __future__ import annotations

import os
import signal
from typing import Any

from tests.unit.trainserver.conftest import Server, lines, until

LONG: dict[str, Any] = {"n_epochs": 40, "batch_size": 4}
STEPS = 120


def _steps(server: Server, job_id: str) -> list[int]:
    return [event.data["step"] for event in server.events(job_id) if event.type == "metrics"]


def _beyond(server: Server, job_id: str, step: int) -> None:
    until(lambda: len(_steps(server, job_id)) > step, f"a step after {step}")


def test_a_job_goes_on_after_pause_and_after_its_process_was_killed(server: Server):
    job = server.job(lines(12), hyperparameters=LONG, seed=3)
    _beyond(server, job.id, 3)
    server.client.fine_tuning.jobs.pause(job.id)
    server.status(job.id, "paused")
    told = _steps(server, job.id)
    quick = server.job(hyperparameters={"n_epochs": 1})
    server.finished(quick.id)
    assert _steps(server, job.id) == told, "a paused job does nothing while another runs"
    server.client.fine_tuning.jobs.resume(job.id)
    _beyond(server, job.id, len(told) + 3)
    os.kill(server.trainer(), signal.SIGKILL)
    done = server.finished(job.id)
    assert done.status == "succeeded", done.error
    assert _steps(server, job.id) == list(range(1, STEPS + 1))
    messages = [event.message for event in server.events(job.id)]
    assert len(messages) == len(set(messages))
    assert sum("ended unexpectedly" in message for message in messages) == 1


def test_a_job_goes_on_when_server_and_process_are_killed(own_server: Server):
    job = own_server.job(lines(12), hyperparameters=LONG, seed=3)
    _beyond(own_server, job.id, 10)
    trainer = own_server.trainer()
    before = own_server.events(job.id)
    own_server.stop(signal.SIGKILL)
    os.kill(trainer, signal.SIGKILL)
    own_server.start()
    assert own_server.finished(job.id).status == "succeeded"
    assert _steps(own_server, job.id) == list(range(1, STEPS + 1))
    events = own_server.events(job.id)
    assert [event.id for event in events[: len(before)]] == [event.id for event in before]
    assert len({event.message for event in events}) == len(events)


def test_a_job_that_cannot_be_written_down_fails_and_the_server_lives(own_server: Server):
    jobs = own_server.data / "jobs"
    jobs.write_text("in the way")
    failed = own_server.finished(own_server.job().id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "could not be started" in (failed.error.message or "")
    jobs.unlink()
    assert own_server.finished(own_server.job(hyperparameters={"n_epochs": 1}).id).status == "succeeded"

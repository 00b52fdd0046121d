"""What a provider tells late, out of order, or not at all."""

from __future__ import annotations

import pytest

from storage import jobs
from storage.records import Job
from storage.store import Database
from tests.support.provider import Json
from tests.unit.tuning.jobs.conftest import Works
from tuning.jobs import watching
from tuning.jobs.applying import LATE_SECONDS, NO_MODEL_SECONDS, News

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"
WHOLE = ["job_epoch:1:1", "job_epoch:1:2", "job_epoch:1:3", "job_finished:1"]


def steps(works: Works, first: int, last: int) -> None:
    works.house.provider.jobs[0]["status"] = "running"
    for step in range(first, last + 1):
        works.house.provider.step("ftjob-1", step, 9, 2.0 / step)


def succeed(works: Works, **fields: object) -> Json:
    works.house.provider.jobs[0] |= {"status": "succeeded", "fine_tuned_model": MODEL, **fields}
    return works.house.provider.jobs[0]


async def test_the_last_events_that_come_after_the_end_are_told_before_it(works: Works) -> None:
    await works.started()
    steps(works, 1, 6)
    await works.pass_time()
    succeed(works)
    await works.pass_time(12)
    assert (await works.job()).state == "safety"
    steps(works, 7, 9)
    succeed(works)
    await works.pass_time(12)
    assert await works.kinds() == WHOLE
    assert (await works.job()).state == "ready"


async def test_events_that_never_come_hold_the_end_up_for_a_minute_only(works: Works) -> None:
    await works.started()
    steps(works, 1, 6)
    await works.pass_time()
    succeed(works)
    await works.pass_time(12)
    await works.pass_time(LATE_SECONDS + 1)
    job = await works.job()
    assert (job.state, job.fine_tuned_model) == ("ready", MODEL)
    assert "ended_at" not in job.progress


async def test_checkpoints_that_are_listed_after_the_end_are_kept(works: Works) -> None:
    await works.started()
    steps(works, 1, 9)
    works.house.provider.event("ftjob-1", f"Checkpoint created at step 3 with Snapshot ID: {MODEL}")
    succeed(works)
    await works.pass_time()
    works.house.provider.checkpoint("ftjob-1", 3, f"{MODEL}:ckpt-step-3")
    await works.pass_time(12)
    assert (await works.job()).state == "ready"
    found = await works.house.store.read(lambda db: jobs.checkpoints_of(db, 1))
    assert [c.step for c in found] == [3]


async def test_a_failure_is_never_held_up(works: Works) -> None:
    await works.started()
    steps(works, 1, 6)
    works.house.provider.jobs[0]["status"] = "failed"
    await works.pass_time()
    assert (await works.job()).state == "failed"


@pytest.mark.parametrize("finished_at", [None, 1, 4_000_000_000])
async def test_success_without_a_model_ends_whatever_the_provider_s_clock_says(
    works: Works, finished_at: int | None
) -> None:
    await works.started()
    works.house.provider.jobs[0] |= {"status": "succeeded", "finished_at": finished_at}
    await works.pass_time()
    assert (await works.job()).state == "safety"
    await works.pass_time(NO_MODEL_SECONDS + 1)
    job = await works.job()
    assert (job.state, job.error["code"]) == ("failed", "no_model")


async def test_an_error_that_was_told_before_the_failure_is_its_cause(works: Works) -> None:
    await works.started()
    steps(works, 1, 1)
    works.house.provider.event("ftjob-1", "The node went away.", level="error")
    await works.pass_time()
    works.house.provider.jobs[0] |= {"status": "failed", "error": {}}
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.error["message"]) == ("failed", "The node went away.")


async def test_a_step_that_is_told_late_does_not_turn_the_figures_back(works: Works) -> None:
    await works.started()
    provider = works.house.provider
    steps(works, 1, 4)
    provider.clock += 60
    steps(works, 6, 7)
    await works.pass_time()
    late = {"step": 5, "total_steps": 9, "train_loss": 9.0}
    provider.event("ftjob-1", "late", type="metrics", at=provider.clock - 30, data=late)
    await works.pass_time()
    job = await works.job()
    assert (job.progress["step"], job.progress["train_loss"]) == (7, 2.0 / 7)


async def test_a_job_that_goes_on_from_a_snapshot_shows_where_it_is(works: Works) -> None:
    await works.started()
    steps(works, 1, 7)
    await works.pass_time()
    works.house.provider.clock += 60
    works.house.provider.step("ftjob-1", 5, 9, 0.3)
    await works.pass_time()
    assert (await works.job()).progress["step"] == 5


async def test_a_job_denied_for_half_a_minute_is_not_given_up(works: Works) -> None:
    """A key of another project, or a mirror that lags: the list lacks the job, and so does its own page."""
    await works.started()
    provider = works.house.provider
    steps(works, 1, 3)
    await works.pass_time()
    hidden, provider.jobs[:] = list(provider.jobs), []
    for _ in range(30):
        await works.pass_time(2)
    assert (await works.job()).state == "training"
    provider.jobs[:] = hidden
    await works.pass_time()
    job = await works.job()
    assert (job.state, "missing" in job.progress) == ("training", False)


async def test_a_job_that_is_missing_is_asked_for_at_its_own_pace_beside_a_busy_one(works: Works) -> None:
    await works.started()
    await works.started(intent="V2")
    provider = works.house.provider
    lost = provider.jobs.pop(0)
    provider.jobs[0]["status"] = "running"
    for step in range(1, 40):
        provider.clock += 1
        provider.step("ftjob-2", step, 900, 1.0)
        await works.pass_time(12)
    assert lost["id"] == "ftjob-1"
    assert provider.count("GET", "/fine_tuning/jobs/ftjob-1") <= 4
    assert provider.count("GET", "/fine_tuning/jobs/ftjob-2/events") > 15


@pytest.mark.parametrize("status", [500, 400])
async def test_events_that_cannot_be_read_are_said_and_do_not_hide_the_end_for_ever(
    works: Works, status: int
) -> None:
    """A gateway before the provider that takes the way to events for something else."""
    await works.started()
    works.house.provider.fault("GET", "/fine_tuning/jobs/ftjob-1/events", status=status, times=999)
    steps(works, 1, 3)
    for _ in range(3):
        await works.pass_time()
    assert (await works.job()).progress["trouble"]
    succeed(works)
    for _ in range(8):
        await works.pass_time()
    assert (await works.job()).state == "ready"
    assert await works.kinds() == ["job_finished:1"]


async def test_events_that_cannot_be_read_are_asked_for_less_and_less(works: Works) -> None:
    await works.started()
    steps(works, 1, 3)
    works.house.provider.fault("GET", "/fine_tuning/jobs/ftjob-1/events", status=500, times=999)
    for _ in range(100):
        await works.pass_time(12)
    assert 4 <= works.house.provider.count("GET", "/fine_tuning/jobs/ftjob-1/events") <= 12


HALF = "cut in the middle of \ud83d"
"""An emoji that somebody cut in two: JSON can say it, UTF-8 and so the database cannot."""


async def test_half_a_letter_in_one_job_s_words_stops_neither_it_nor_another(works: Works) -> None:
    await works.started()
    await works.started(intent="V2")
    provider = works.house.provider
    provider.event("ftjob-1", HALF, data={"said": [HALF]})
    provider.jobs[0] |= {"status": "failed", "error": {"code": "bad", "message": HALF}}
    provider.jobs[1]["status"] = "queued"
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.error["message"]) == ("failed", "cut in the middle of ?")
    assert (await works.job(2)).state == "queued"


async def test_work_on_one_job_that_breaks_leaves_the_others_heard(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    await works.started()
    await works.started(intent="V2")
    provider = works.house.provider
    await works.pass_time()
    true = watching.apply

    def breaks(db: Database, job_id: int, news: News, now: float) -> Job:
        if job_id == 1:
            raise ZeroDivisionError
        return true(db, job_id, news, now)

    monkeypatch.setattr(watching, "apply", breaks)
    provider.jobs[0]["status"] = "running"
    heard = (await works.job(2)).heard_at
    await works.pass_time()
    assert (await works.job(2)).heard_at != heard


async def test_the_pace_of_a_job_is_jittered_and_jobs_asked_together_stay_together(works: Works) -> None:
    await works.started()
    await works.started(intent="V2")
    rests: set[float] = set()
    for job in works.house.provider.jobs:
        job["status"] = "running"
    for _ in range(6):
        await works.pass_time()
        first, second = await works.job(1), await works.job(2)
        assert first.poll_at == second.poll_at
        rests.add(round(first.poll_at - works.house.now, 3))
    assert len(rests) > 3
    assert 10 <= min(rests) <= max(rests) <= 11

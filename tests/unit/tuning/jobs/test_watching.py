"""The watch: what a job's thread gets, in which order, and what happens when there is no word."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.rendering import render_notice
from storage import jobs
from tests.support.provider import Json
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import NotCancellable

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"


def run(works: Works, *, steps: int, total: int = 9, first: int = 1) -> Json:
    """Sets the provider's job running, with metrics up to ``steps`` of ``total`` (three epochs)."""
    job = works.house.provider.jobs[0]
    job["status"] = "running"
    if first == 1:
        works.house.provider.event(job["id"], "Fine-tuning job started")
    for step in range(first, steps + 1):
        valid: dict[str, Any] = {"full_valid_loss": 1.0 / step} if step % (total // 3) == 0 else {}
        works.house.provider.step(job["id"], step, total, 2.0 / step, **valid)
    return job


def succeed(works: Works) -> None:
    job = works.house.provider.jobs[0]
    for step in (3, 6, 9):
        works.house.provider.checkpoint(
            job["id"], step, f"{MODEL}:ckpt-step-{step}", full_valid_loss=1 / step
        )
    works.house.provider.event(job["id"], "The job has successfully completed")
    job |= {
        "status": "succeeded",
        "fine_tuned_model": MODEL,
        "trained_tokens": 3100,
        "finished_at": 1_790_002_000,
    }


async def test_a_whole_life_reaches_the_thread_once_and_in_order(works: Works) -> None:
    await works.started()
    theirs = works.house.provider.jobs[0]
    theirs["status"] = "queued"
    await works.pass_time()
    assert (await works.job()).state == "queued"
    run(works, steps=4)
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.progress["step"], job.progress["total_steps"]) == ("training", 4, 9)
    assert job.progress["first_loss"] == 2.0
    assert job.progress["train_loss"] == 0.5
    assert job.progress["epoch"] == 1
    run(works, steps=9, first=5)
    await works.pass_time()
    assert (await works.job()).state == "safety"
    verdicts = [{"category": "hate", "passed": True}, {"category": "violence", "passed": True}]
    data = {"blocked": False, "results": verdicts}
    works.house.provider.event(theirs["id"], "Moderation checks passed", type="moderation_checks", data=data)
    await works.pass_time()
    succeed(works)
    for _ in range(3):
        await works.pass_time()
    assert await works.kinds() == [
        "job_epoch:1:1", "job_epoch:1:2", "job_epoch:1:3",
        f"job_safety:1:ftevent-{theirs['id']}-10", "job_finished:1",
    ]  # fmt: skip
    job = await works.job()
    assert (job.state, job.fine_tuned_model, job.trained_tokens) == ("ready", MODEL, 3100)
    assert job.progress["safety"] == {"passed": 2, "total": 2, "failed": [], "blocked": False}
    assert job.progress["billed_usd"] == pytest.approx(3100 / 1e6 * 5)
    assert [row["valid_loss"] for row in job.progress["by_epoch"]] == [1 / 3, 1 / 6, 1 / 9]
    found = await works.house.store.read(lambda db: jobs.checkpoints_of(db, 1))
    assert [(c.number, c.step) for c in found] == [(1, 3), (2, 6), (3, 9)]


async def said(works: Works, notice_id: str) -> str:
    """What a notice says now."""
    house: Any = SimpleNamespace(store=works.house.store, providers=works.house.providers)
    notice = next(n for n in await works.notices() if n.id == notice_id)
    blocks = (await render_notice(house, notice)).message.blocks
    return "".join(re.findall(r'"text": "([^"]*)"', json.dumps(blocks, ensure_ascii=False)))


async def test_checkpoints_told_only_at_the_end_stand_in_the_finished_notice(works: Works) -> None:
    await works.started()
    run(works, steps=9)
    await works.pass_time()
    assert "Checkpoint" not in await said(works, "job_epoch:1:1")  # said before any was told
    succeed(works)
    works.house.provider.checkpoints["ftjob-1"][-1]["fine_tuned_model_checkpoint"] = MODEL
    for _ in range(3):
        await works.pass_time()
    finished = await said(works, "job_finished:1")
    assert "Also kept: triage-1@1 (epoch 1) · triage-1@2 (epoch 2)" in finished
    assert "triage-1@3" not in finished  # this is the model itself


async def test_an_epochs_post_that_still_waits_when_the_job_ends_tells_its_checkpoint(works: Works) -> None:
    await works.started()
    run(works, steps=9)
    succeed(works)
    for _ in range(3):
        await works.pass_time()
    for epoch in (1, 2, 3):
        told = await said(works, f"job_epoch:1:{epoch}")
        assert f"Checkpoint {epoch} is kept (step {3 * epoch})" in told


async def test_a_death_between_any_two_looks_loses_and_doubles_nothing(works: Works) -> None:
    await works.started()
    for done in (3, 6, 9):
        run(works, steps=done, first=done - 2)
        await works.new_life()
        await works.pass_time()
    succeed(works)
    await works.new_life()
    await works.pass_time()
    await works.new_life()
    await works.pass_time()
    assert await works.kinds() == ["job_epoch:1:1", "job_epoch:1:2", "job_epoch:1:3", "job_finished:1"]
    kept = await works.house.store.read(lambda db: jobs.events_of(db, 1))
    assert [e.event_id for e in kept] == [e["id"] for e in works.house.provider.events["ftjob-1"]]


async def test_events_over_several_pages_are_all_kept_in_order(works: Works) -> None:
    await works.started()
    works.house.provider.page_size = 7
    run(works, steps=40, total=90)
    await works.pass_time()
    run(works, steps=88, total=90, first=41)
    await works.pass_time()
    kept = await works.house.store.read(lambda db: jobs.events_of(db, 1))
    assert [e.data["step"] for e in kept if e.type == "metrics"] == list(range(1, 89))


async def test_a_long_training_gets_five_epoch_notices_with_the_last_among_them(works: Works) -> None:
    await works.started(epochs=12)
    run(works, steps=24, total=24)
    await works.pass_time()
    assert [n.body["epoch"] for n in await works.notices()] == [2, 5, 7, 10, 12]


async def test_a_waiting_job_costs_one_list_and_nothing_more(works: Works) -> None:
    await works.started()
    works.house.provider.jobs[0]["status"] = "queued"
    await works.pass_time()
    works.house.provider.calls.clear()
    for _ in range(4):
        await works.pass_time()
    assert set(works.house.provider.calls) == {("GET", "/fine_tuning/jobs")}


async def test_the_list_is_paged_until_every_open_job_was_seen(works: Works) -> None:
    await works.started()
    works.house.provider.page_size = 2
    for _ in range(9):
        works.house.provider.job(status="succeeded")
    run(works, steps=1)
    await works.pass_time()
    assert (await works.job()).state == "training"
    assert works.house.provider.count("GET", "/fine_tuning/jobs/ftjob-1") == 0


async def test_a_job_missing_from_the_list_is_asked_for_and_only_then_gone(works: Works) -> None:
    await works.started()
    works.house.provider.jobs.clear()
    await works.pass_time()
    assert (await works.job()).state == "accepted"
    for _ in range(3):
        await works.pass_time()
    job = await works.job()
    assert (job.state, job.error["code"]) == ("failed", "gone")
    assert await works.kinds() == ["job_failed:1"]


async def test_a_failed_job_says_what_the_provider_said(works: Works) -> None:
    await works.started()
    said = {"code": "invalid_training_file", "message": "Flagged lines: 4, 13", "param": "training_file"}
    works.house.provider.jobs[0] |= {"status": "failed", "error": said, "finished_at": 1_790_000_100}
    await works.pass_time()
    job = await works.job()
    assert job.error == {**said, "line": 4, "lines": [4, 13]}
    assert job.finished_at == 1_790_000_100
    assert await works.kinds() == ["job_failed:1"]


async def test_an_unknown_status_is_in_progress_and_its_events_are_followed(works: Works) -> None:
    await works.started()
    run(works, steps=2)
    works.house.provider.jobs[0] |= {"status": "preheating", "error": {"code": None, "message": None}}
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.status, job.progress["step"]) == ("accepted", "preheating", 2)


async def test_pause_and_resume_are_told(works: Works) -> None:
    await works.started()
    run(works, steps=2)
    await works.pass_time()
    works.house.provider.jobs[0]["status"] = "paused"
    await works.pass_time()
    assert (await works.job()).state == "paused"
    works.house.provider.jobs[0]["status"] = "running"
    await works.pass_time()
    assert await works.kinds() == ["job_paused:1:1", "job_resumed:1:1"]


async def test_no_word_from_the_provider_shows_on_the_card_and_loses_nothing(works: Works) -> None:
    await works.started()
    run(works, steps=3)
    await works.pass_time()
    heard = (await works.job()).heard_at
    works.house.provider.fault("GET", "/fine_tuning/jobs", status=502, times=4)
    for _ in range(3):
        await works.pass_time()
    job = await works.job()
    assert (job.state, job.heard_at, job.progress["silent"]) == ("training", heard, heard)
    assert await works.dirty() > 0
    run(works, steps=9, first=4)
    succeed(works)
    for _ in range(3):
        await works.pass_time()
    job = await works.job()
    assert job.state == "ready"
    assert "silent" not in job.progress
    assert await works.kinds() == ["job_epoch:1:1", "job_epoch:1:2", "job_epoch:1:3", "job_finished:1"]


async def test_a_provider_that_is_down_is_asked_less_and_less(works: Works) -> None:
    await works.started()
    works.house.provider.fault("GET", "/fine_tuning/jobs", status=502, times=999)
    works.house.provider.calls.clear()
    for _ in range(60):
        await works.pass_time(10)
    assert 4 <= works.house.provider.count("GET", "/fine_tuning/jobs") <= 12


async def test_a_wrong_key_is_said_on_the_card(works: Works) -> None:
    await works.started()
    works.house.provider.fault("GET", "/fine_tuning/jobs", status=401, code="invalid_api_key")
    await works.pass_time()
    assert "key" in (await works.job()).progress["trouble"]


async def test_success_without_a_model_waits_and_then_fails(works: Works) -> None:
    await works.started()
    finished = works.house.now + 300
    works.house.provider.jobs[0] |= {"status": "succeeded", "finished_at": finished}
    await works.pass_time()
    assert (await works.job()).state == "safety"
    await works.pass_time(1000)
    job = await works.job()
    assert (job.state, job.error["code"]) == ("failed", "no_model")


async def test_a_provider_without_events_and_checkpoints_still_finishes(works: Works) -> None:
    await works.started()
    works.house.provider.fault("GET", r"/fine_tuning/jobs/.*/(events|checkpoints)", status=404, times=99)
    succeed(works)
    await works.pass_time()
    assert (await works.job()).state == "ready"


async def test_progress_told_in_words_only_is_read_as_well(works: Works) -> None:
    await works.started()
    theirs = run(works, steps=0)
    for step in (1, 2, 3):
        said = f"Step {step}/9: training loss={1 / step:.2f}, validation loss=0.80"
        works.house.provider.event(theirs["id"], said)
    await works.pass_time()
    job = await works.job()
    assert (job.progress["step"], job.progress["valid_loss"]) == (3, 0.8)
    assert await works.kinds() == ["job_epoch:1:1"]


async def test_a_job_that_ended_at_the_provider_meanwhile_cannot_be_cancelled(works: Works) -> None:
    await works.started()
    succeed(works)
    with pytest.raises(NotCancellable):
        await works.engine.cancel(1, "U2")
    await works.pass_time()
    assert (await works.job()).state == "ready"


async def test_a_person_who_asks_gets_the_newest_word_at_once(works: Works) -> None:
    await works.started()
    await works.pass_time()
    run(works, steps=2)
    await works.engine.look(1)
    await works.engine.settle()
    assert (await works.job()).progress["step"] == 2


async def test_a_provider_taken_out_of_the_settings_is_said_on_the_card(works: Works) -> None:
    await works.started()
    await works.house.store.write(lambda db: jobs.change(db, 1, provider="former"))
    await works.pass_time()
    job = await works.job()
    assert (job.state, "former" in job.progress["trouble"]) == ("accepted", True)


async def test_a_running_job_is_asked_at_its_own_pace(works: Works) -> None:
    await works.started()
    job = run(works, steps=0)
    for step in range(1, 5):
        works.house.provider.clock += 60
        works.house.provider.step(job["id"], step, 100, 1.0)
    await works.pass_time()
    await works.pass_time()
    assert 60 <= (await works.job()).poll_at - works.house.now <= 66

"""One job per intent, whatever the provider does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from storage import datasets, jobs, outbox
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import NotCancellable, StartRefused


async def test_a_started_job_is_uploaded_and_created_with_its_intent_and_name(works: Works) -> None:
    job = await works.started(seed=7)
    assert (job.state, job.name, job.provider_job_id) == ("accepted", "triage-1", "ftjob-1")
    (body,) = works.house.provider.created
    assert body["suffix"] == "triage-1"
    assert body["metadata"] == {"ftbot_intent": "V1"}
    assert body["seed"] == 7
    assert body["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}
    assert body["training_file"] == "file-1"
    assert works.house.provider.files[0]["filename"] == "aaaaaaaaaaaa-triage.jsonl"


async def test_the_card_and_a_link_under_the_drop_go_out_with_the_wish(works: Works) -> None:
    dataset = await works.house.dataset()
    job = await works.engine.start(works.request(dataset.id))
    (card,) = await works.house.store.read(lambda db: outbox.of_kind(db, "job_card"))
    (link,) = await works.house.store.read(lambda db: outbox.of_kind(db, "job_link"))
    assert (card.channel, card.thread, card.card, card.body) == ("C1", None, "job:1", {"job_id": 1})
    assert (link.thread, link.body) == ("100.1", {"job_id": 1})
    assert job.estimate["usd"] == pytest.approx(1000 * 3 / 1e6 * 5.0)
    assert job.state == "sending"


async def test_the_same_wish_twice_is_one_job(works: Works) -> None:
    dataset = await works.house.dataset()
    both = await asyncio.gather(*(works.engine.start(works.request(dataset.id)) for _ in range(5)))
    await works.engine.settle()
    assert {job.id for job in both} == {1}
    assert len(works.house.provider.created) == 1


async def test_numbers_count_up_over_the_workspace(works: Works) -> None:
    await works.started()
    second = await works.started(intent="V2", suffix="Triage")
    assert second.name == "triage-2"
    assert len(works.house.provider.files) == 1  # the same content is sent once


@pytest.mark.parametrize("filters", [True, False])
async def test_a_create_whose_answer_was_lost_is_found_again(works: Works, filters: bool) -> None:
    works.house.provider.filters_metadata = filters
    works.house.provider.fault("POST", "/fine_tuning/jobs", after=True)
    job = await works.started()
    assert job.state == "sending"
    assert "trouble" in job.progress
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.provider_job_id) == ("accepted", "ftjob-1")
    assert "trouble" not in job.progress
    assert len(works.house.provider.created) == 1


async def test_a_create_answered_with_a_login_page_is_found_again(works: Works) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", after=True, status=200)
    await works.started()
    await works.pass_time()
    assert (await works.job()).provider_job_id == "ftjob-1"
    assert len(works.house.provider.created) == 1


async def test_a_create_that_timed_out_is_found_again(works: Works) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", after=True, hang=3.0)
    await works.started()
    await works.pass_time()
    assert (await works.job()).provider_job_id == "ftjob-1"
    assert len(works.house.provider.created) == 1


async def test_a_create_that_failed_before_anything_happened_is_tried_again(works: Works) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", status=503, times=2)
    await works.started()
    for _ in range(3):
        await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert len(works.house.provider.created) == 1


async def test_a_death_during_the_create_makes_no_second_job(works: Works) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", after=True, hang=60.0)
    dataset = await works.house.dataset()
    await works.engine.start(works.request(dataset.id))
    await works.until(lambda: len(works.house.provider.created) == 1)
    await works.new_life()
    await works.pass_time()
    assert (await works.job()).provider_job_id == "ftjob-1"
    assert len(works.house.provider.created) == 1


async def test_a_refusal_is_final_and_kept_with_its_code(works: Works) -> None:
    message = "OpenAI is winding down the fine-tuning platform"
    works.house.provider.fault(
        "POST", "/fine_tuning/jobs", status=403, code="training_not_available", message=message
    )
    job = await works.started()
    assert job.state == "failed"
    assert job.error["code"] == "training_not_available"
    assert job.error["message"] == message
    assert await works.kinds() == ["job_failed:1"]
    await works.pass_time()
    assert works.house.provider.count("POST", "/fine_tuning/jobs") == 1


async def test_an_empty_account_is_final_but_a_busy_provider_is_not(works: Works) -> None:
    fault = works.house.provider.fault
    fault("POST", "/fine_tuning/jobs", status=429, code="rate_limit_exceeded", headers={"Retry-After": "30"})
    job = await works.started()
    assert job.state == "sending"
    assert job.poll_at >= works.house.now + 30
    fault("POST", "/fine_tuning/jobs", status=429, code="insufficient_quota")
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.error["code"]) == ("failed", "insufficient_quota")


async def test_an_upload_whose_answer_was_lost_is_not_sent_twice(works: Works) -> None:
    works.house.provider.fault("POST", "/files", after=True)
    await works.started()
    await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert works.house.provider.count("POST", "/files") == 1


async def test_a_refused_upload_fails_the_job_and_is_tried_again_by_the_next(works: Works) -> None:
    works.house.provider.fault("POST", "/files", status=413, code=None, message="File too large")
    job = await works.started()
    assert (job.state, job.error["code"]) == ("failed", "upload_refused")
    assert "File too large" in job.error["message"]
    again = await works.started(intent="V2")
    assert again.state == "accepted"


async def test_data_that_is_gone_from_disk_fails_the_job_in_plain_words(works: Works) -> None:
    dataset = await works.house.dataset()
    (works.house.folder / f"{'a' * 64}.jsonl").unlink()
    await works.engine.start(works.request(dataset.id))
    await works.engine.settle()
    job = await works.job()
    assert job.state == "failed"
    assert "no longer kept" in job.error["message"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("epochs", {"epochs": 0}),
        ("batch", {"batch_size": 300}),
        ("rate", {"learning_rate_multiplier": -1.0}),
        ("seed", {"seed": -1}),
        ("name", {"suffix": "★ ★"}),
        ("base", {"base": "gpt-2"}),
        ("dataset", {"dataset_id": 99}),
        ("dataset", {"channel": "C2"}),
        ("validation", {"validation_id": 1}),
    ],
)
async def test_a_wrong_field_is_said_at_its_place_and_nothing_is_kept(
    works: Works, field: str, wrong: dict[str, Any]
) -> None:
    dataset = await works.house.dataset()
    with pytest.raises(StartRefused) as refused:
        await works.engine.start(replace(works.request(dataset.id), **wrong))
    assert refused.value.field == field
    assert await works.house.store.read(lambda db: jobs.in_channel(db, "C1")) == []


async def test_data_that_is_not_ready_or_not_for_this_base_is_refused(works: Works) -> None:
    broken = await works.house.dataset("x.jsonl", "b", state="not_ready")
    with pytest.raises(StartRefused, match="not ready"):
        await works.engine.start(works.request(broken.id))
    grading = await works.house.dataset("y.jsonl", "c", method="reinforcement")
    with pytest.raises(StartRefused, match="reinforcement"):
        await works.engine.start(works.request(grading.id))


async def test_a_base_that_was_shut_down_is_refused(works: Works) -> None:
    works.house.now += 86_400 * 150  # after 14 January 2027
    dataset = await works.house.dataset()
    with pytest.raises(StartRefused, match="shut down"):
        await works.engine.start(works.request(dataset.id, base="gpt-4.1-2025-04-14"))


async def test_a_job_called_off_before_it_was_created_never_is(works: Works) -> None:
    works.house.provider.fault("POST", "/files", times=99)
    job = await works.started()
    cancelled = await works.engine.cancel(job.id, "U2")
    assert (cancelled.state, cancelled.ended_by) == ("cancelled", "U2")
    await works.pass_time()
    assert works.house.provider.created == []
    assert await works.kinds() == ["job_cancelled:1"]


@pytest.mark.parametrize("created", [True, False])
async def test_a_job_called_off_while_nobody_knows_whether_it_exists_ends_in_any_case(
    works: Works, created: bool
) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", after=created)
    job = await works.started()
    await works.engine.cancel(job.id, "U2")
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.ended_by) == ("cancelled", "U2")
    assert [j["status"] for j in works.house.provider.jobs] == (["cancelled"] if created else [])
    assert await works.kinds() == ["job_cancelled:1"]


async def test_a_running_job_is_cancelled_at_the_provider_once(works: Works) -> None:
    job = await works.started()
    job = await works.engine.cancel(job.id, "U2")
    assert (job.state, job.ended_by) == ("cancelled", "U2")
    with pytest.raises(NotCancellable):
        await works.engine.cancel(job.id, "U2")
    assert await works.kinds() == ["job_cancelled:1"]


async def test_uploads_show_on_the_card_of_the_drop(works: Works) -> None:
    dataset = await works.house.dataset()
    await works.engine.start(works.request(dataset.id))
    await works.engine.settle()
    upload = await works.house.store.read(lambda db: datasets.upload_of(db, dataset.sha256, "openai"))
    assert upload is not None
    assert (upload.state, upload.file_id) == ("sent", "file-1")

"""A create whose fate is unknown is settled without a second job, and nothing of the job's life is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storage import jobs
from tests.support.provider import BASE
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import JobError, NotPausable, Unreachable
from tuning.jobs.parts import CREATE_WAIT
from tuning.providers import ProviderConfig, Providers

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"
CREATE = ("POST", "/fine_tuning/jobs")


async def _new_process(works: Works, *names: str) -> None:
    """As :meth:`Works.new_life`, and what was known of the providers is forgotten too."""
    old = works.house.providers
    configs = [ProviderConfig(name, works.house.provider.base_url, "sk-test") for name in names]
    works.house.providers = Providers(configs, timeout=2.0, retries=0)
    await works.new_life()
    await old.close()


async def _train_to_the_end(works: Works) -> None:
    provider = works.house.provider
    for step in range(1, 10):
        provider.step("ftjob-1", step, 9, 2.0 / step)
    provider.checkpoint("ftjob-1", 3, f"{MODEL}:ckpt-step-3")
    provider.jobs[0] |= {"status": "succeeded", "fine_tuned_model": MODEL, "trained_tokens": 9}


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_may_not_list_models_after_a_crash_gives_no_paid_job_up(
    works: Works, status: int
) -> None:
    works.house.provider.fault(*CREATE, after=True)
    await works.started()
    works.house.provider.fault("GET", "/models", status=status, code="invalid_api_key")
    await _new_process(works, "openai")
    await works.pass_time()
    assert (await works.job()).state == "sending"
    assert len(works.house.provider.files) == 1
    await works.pass_time()
    assert (await works.job()).provider_job_id == "ftjob-1"
    assert len(works.house.provider.created) == 1


async def test_a_provider_that_is_missing_for_one_start_gives_no_paid_job_up(works: Works) -> None:
    works.house.provider.fault(*CREATE, after=True)
    await works.started()
    await _new_process(works, "other")
    await works.pass_time()
    job = await works.job()
    assert (job.state, "openai" in job.progress["trouble"]) == ("sending", True)
    await _new_process(works, "openai")
    await works.pass_time()
    assert (await works.job()).provider_job_id == "ftjob-1"
    assert len(works.house.provider.created) == 1


async def test_a_provider_that_still_makes_the_job_when_the_bot_is_back_makes_no_second(works: Works) -> None:
    """The bot dies while the provider is at it, and lives again before the job is in the list."""
    provider = works.house.provider
    provider.fault(*CREATE, status=503, hang=60.0)
    dataset = await works.house.dataset()
    await works.engine.start(works.request(dataset.id))
    await works.until(lambda: provider.count(*CREATE) == 1)
    await works.new_life()
    await works.pass_time(1.0)
    provider.created.append({})
    provider.job(metadata={"ftbot_intent": "V1"})  # now it is there
    await works.pass_time(CREATE_WAIT)
    assert (await works.job()).provider_job_id == "ftjob-1"
    assert provider.count(*CREATE) == 1


async def test_a_job_that_ended_before_it_was_found_again_is_told_in_full(works: Works) -> None:
    works.house.provider.fault(*CREATE, after=True)
    await works.started()
    await _train_to_the_end(works)
    await works.pass_time()
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.fine_tuned_model) == ("ready", MODEL)
    assert await works.kinds() == ["job_epoch:1:1", "job_epoch:1:2", "job_epoch:1:3", "job_finished:1"]
    assert len(await works.house.store.read(lambda db: jobs.checkpoints_of(db, 1))) == 1


async def _running(works: Works) -> None:
    """A job whose first steps nobody has asked about yet."""
    await works.started()
    works.house.provider.jobs[0]["status"] = "running"
    for step in range(1, 5):
        works.house.provider.step("ftjob-1", step, 9, 2.0 / step)


async def test_what_happened_before_a_cancel_is_told_before_it(works: Works) -> None:
    await _running(works)
    job = await works.engine.cancel(1, "U2")
    assert (job.state, job.progress["step"]) == ("cancelled", 4)
    assert await works.kinds() == ["job_epoch:1:1", "job_cancelled:1"]


async def test_a_cancel_whose_last_events_are_not_answered_is_told_by_the_watch(works: Works) -> None:
    await _running(works)
    works.house.provider.fault("GET", "/fine_tuning/jobs/ftjob-1/events", status=503)
    job = await works.engine.cancel(1, "U2")
    assert job.ended_by == "U2"
    await works.pass_time()
    job = await works.job()
    assert (job.state, job.ended_by, job.progress["step"]) == ("cancelled", "U2", 4)
    assert await works.kinds() == ["job_epoch:1:1", "job_cancelled:1"]


async def test_our_own_job_that_is_still_to_be_found_again_is_not_followed_beside(works: Works) -> None:
    works.house.provider.fault(*CREATE, after=True)
    await works.started()
    assert await works.engine.unknown_jobs() == []
    with pytest.raises(JobError, match="already"):
        await works.engine.follow("ftjob-1", "C1", "U2")
    await works.pass_time()
    assert (await works.job()).provider_job_id == "ftjob-1"


async def test_a_job_of_another_house_can_be_followed(works: Works) -> None:
    works.house.provider.job(metadata={"ftbot_intent": "theirs"})
    assert [one.job.id for one in await works.engine.unknown_jobs()] == ["ftjob-1"]
    assert (await works.engine.follow("ftjob-1", "C1", "U2")).provider_job_id == "ftjob-1"


@pytest.mark.parametrize(
    "told",
    [
        {"user_provided_suffix": "triage-1"},
        {"suffix": "triage-1"},
        {"user_provided_suffix": "triage-1", "metadata": {}},
    ],
)
async def test_a_provider_that_keeps_no_metadata_is_asked_for_the_name_and_the_file(
    works: Works, told: dict[str, Any]
) -> None:
    provider = works.house.provider
    provider.filters_metadata, provider.clock = False, works.house.now
    provider.job(**(told | {"metadata": None, "training_file": "file-1", "created_at": 1}))
    provider.fault(*CREATE, after=True)
    await works.started()
    provider.jobs[-1] |= {"metadata": None} | told
    provider.job(metadata=None, user_provided_suffix="triage-1", training_file="file-of-others")
    provider.job(metadata=None, user_provided_suffix="other-1", training_file="file-1")
    await works.pass_time()
    assert (await works.job()).provider_job_id == "ftjob-2"
    assert provider.count(*CREATE) == 1


@pytest.mark.parametrize(("status", "code"), [(401, "invalid_api_key"), (403, "insufficient_permissions")])
async def test_a_cancel_that_the_key_may_not_is_not_said_to_be_an_end(
    works: Works, status: int, code: str
) -> None:
    await works.started()
    works.house.provider.fault("POST", "/fine_tuning/jobs/ftjob-1/cancel", status=status, code=code)
    with pytest.raises(JobError) as refused:
        await works.engine.cancel(1, "U2")
    assert "ended" not in str(refused.value)
    assert "key" in str(refused.value)
    assert (await works.job()).state == "accepted"


async def test_a_file_that_was_deleted_at_the_provider_is_sent_anew_for_the_next_job(works: Works) -> None:
    provider = works.house.provider
    await works.started()
    provider.jobs[0] |= {"status": "succeeded", "fine_tuned_model": MODEL}
    await works.pass_time()
    provider.files.clear()  # on the provider's own pages
    words = "invalid training_file: file-1"
    provider.fault(*CREATE, status=400, code=None, message=words)
    assert (await works.started(intent="V2")).state == "failed"
    provider.clock += 1
    again = await works.started(intent="V3")
    assert again.state == "accepted"
    assert len(provider.files) == 1


async def test_a_file_that_is_still_there_stays_when_a_job_with_it_is_refused(works: Works) -> None:
    provider = works.house.provider
    await works.started()
    provider.fault(*CREATE, status=400, code="model_not_available")
    await works.started(intent="V2")
    await asyncio.sleep(0)
    await works.started(intent="V3")
    assert provider.count("POST", "/files") == 1


async def test_a_cancel_whose_answer_was_lost_is_told_as_one_at_the_second_click(works: Works) -> None:
    await works.started()
    works.house.provider.fault("POST", "/fine_tuning/jobs/ftjob-1/cancel", status=502, after=True)
    with pytest.raises(Unreachable):
        await works.engine.cancel(1, "U2")
    job = await works.engine.cancel(1, "U2")
    assert (job.state, job.ended_by) == ("cancelled", "U2")
    assert await works.kinds() == ["job_cancelled:1"]


async def test_a_pause_whose_answer_was_lost_is_no_refusal_at_the_second_click(works: Works) -> None:
    await works.started()
    provider = works.house.provider
    described = {"fine_tunable": True, "can_pause": True}
    provider.models = [{"id": BASE, "object": "model", "x_fine_tuning": described}]
    await _new_process(works, "openai")
    words: dict[str, Any] = {"status": 400, "code": None, "message": "Only a running job can be paused."}
    provider.fault("POST", "/fine_tuning/jobs/ftjob-1/(pause|resume)", times=2, **words)
    provider.jobs[0]["status"] = "paused"
    assert (await works.engine.pause(1, "U2")).state == "paused"
    provider.jobs[0]["status"] = "running"
    assert (await works.engine.resume(1, "U2")).state == "training"
    assert await works.kinds() == ["job_paused:1:1", "job_resumed:1:1"]


async def test_a_pause_that_is_refused_is_said_to_be(works: Works) -> None:
    await works.started()
    provider = works.house.provider
    described = {"fine_tunable": True, "can_pause": True}
    provider.models = [{"id": BASE, "object": "model", "x_fine_tuning": described}]
    await _new_process(works, "openai")
    provider.fault("POST", "/fine_tuning/jobs/ftjob-1/pause", status=400, code=None, message="Not now.")
    with pytest.raises(NotPausable):
        await works.engine.pause(1, "U2")

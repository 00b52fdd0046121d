"""Each answer of a provider has its policy: final and explained, or asked again without doubling anything."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import TuningError
from tuning.jobs import uploading
from tuning.jobs.failures import explain
from tuning.providers.trouble import FINAL_429, LONGEST_REST

CREATE = ("POST", "/fine_tuning/jobs")
LIST = ("GET", "/fine_tuning/jobs")

FINAL: list[tuple[int, str]] = [
    (400, "model_not_available"),
    (401, "invalid_api_key"),
    (403, "training_not_available"),
    (403, "insufficient_permissions"),
    (404, "model_not_found"),
    *((429, code) for code in sorted(FINAL_429)),
]


@pytest.mark.parametrize(("status", "code"), FINAL)
async def test_a_clear_no_to_a_create_is_final_and_explained(works: Works, status: int, code: str) -> None:
    works.house.provider.fault(*CREATE, status=status, code=code, message="their own words")
    job = await works.started()
    assert (job.state, job.error["code"]) == ("failed", code)
    told = explain(job.error)
    assert "their own words" not in told.why
    assert len(told.why) > 10
    assert len(told.todo) > 10
    await works.pass_time()
    assert works.house.provider.count(*CREATE) == 1
    assert await works.kinds() == ["job_failed:1"]


PASSING: list[dict[str, Any]] = [
    {"status": 408, "code": "timeout"},
    {"status": 429, "code": "rate_limit_exceeded"},
    {"status": 429, "code": "daily_rate_limit_exceeded"},
    {"status": 400, "code": "rate_limit_exceeded"},
    {"status": 400, "code": None, "message": "This request has been rate-limited: 3 active requests."},
    {"status": 409, "code": "conflict"},
    {"status": 400, "code": None, "message": "File is still being processed and is not ready"},
    {"status": 500},
    {"status": 502},
    {"status": 503, "code": "overloaded"},
    {"status": 504},
    {"status": 504, "hang": 2.2},
]
WHAT = [f"{one['status']}-{one.get('code')}-{one.get('message', one.get('hang', 0))}" for one in PASSING]


@pytest.mark.parametrize("how", PASSING, ids=WHAT)
async def test_a_create_that_may_work_later_is_tried_until_there_is_one_job(
    works: Works, how: dict[str, Any]
) -> None:
    works.house.provider.fault(*CREATE, **how)
    job = await works.started()
    assert job.state == "sending"
    assert job.progress["trouble"]
    await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert len(works.house.provider.created) == 1


@pytest.mark.parametrize("how", PASSING, ids=WHAT)
async def test_an_upload_that_may_work_later_leaves_one_file(works: Works, how: dict[str, Any]) -> None:
    works.house.provider.fault("POST", "/files", **how)
    await works.started()
    await works.pass_time()
    assert len(works.house.provider.files) == 1
    assert (await works.job()).state == "accepted"


REFUSED_WATCH = [(401, "invalid_api_key"), (403, "forbidden"), (404, None), (429, "insufficient_quota")]


@pytest.mark.parametrize(("status", "code"), REFUSED_WATCH)
async def test_a_watch_that_is_refused_is_said_on_the_card_and_gives_no_job_up(
    works: Works, status: int, code: str | None
) -> None:
    await works.started()
    works.house.provider.fault(*LIST, status=status, code=code)
    works.house.provider.jobs[0]["status"] = "running"
    await works.pass_time()
    job = await works.job()
    assert job.state == "accepted"
    assert job.progress["trouble"]
    await works.pass_time()
    job = await works.job()
    assert job.state == "training"
    assert not job.progress.get("trouble")


@pytest.mark.parametrize("how", PASSING, ids=WHAT)
async def test_a_watch_that_got_no_answer_asks_again_and_loses_no_event(
    works: Works, how: dict[str, Any]
) -> None:
    await works.started()
    provider = works.house.provider
    provider.jobs[0]["status"] = "running"
    for step in (1, 2, 3):
        provider.step("ftjob-1", step, 9, 1.0)
    provider.fault(*LIST, **how)
    provider.fault("GET", "/fine_tuning/jobs/ftjob-1/events", **how)
    for _ in range(3):
        await works.pass_time()
    job = await works.job()
    assert (job.state, job.progress["step"]) == ("training", 3)


async def test_a_provider_that_asks_for_rest_gets_it(works: Works) -> None:
    await works.started()
    provider = works.house.provider
    provider.fault(*LIST, status=429, code="rate_limit_exceeded", headers={"Retry-After": "1000"})
    await works.pass_time()
    asked = provider.count(*LIST)
    await works.pass_time(900)
    assert provider.count(*LIST) == asked
    await works.pass_time(200)
    assert provider.count(*LIST) > asked


ENDLESS = ["inf", "1e300", "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]


@pytest.mark.parametrize("rest", ENDLESS)
async def test_a_rest_without_end_is_no_reason_never_to_ask_again(works: Works, rest: str) -> None:
    provider = works.house.provider
    provider.fault(*CREATE, status=429, code="rate_limit_exceeded", headers={"Retry-After": rest})
    await works.started()
    await works.pass_time(LONGEST_REST)
    assert (await works.job()).state == "accepted"
    provider.fault(*LIST, status=429, code="rate_limit_exceeded", headers={"Retry-After": rest})
    await works.pass_time()
    provider.jobs[0]["status"] = "queued"
    await works.pass_time(LONGEST_REST)
    assert (await works.job()).state == "queued"


@pytest.mark.parametrize("rest", ["", "soon", "-7", "nan", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_rest_that_makes_no_sense_is_the_usual_one(works: Works, rest: str) -> None:
    works.house.provider.fault(*CREATE, status=429, code="rate_limit_exceeded", headers={"Retry-After": rest})
    await works.started()
    await works.pass_time(30)
    assert (await works.job()).state == "accepted"


async def test_a_rest_until_a_moment_is_kept(works: Works) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    works.house.provider.fault(*CREATE, status=503, headers={"Retry-After": moment})
    job = await works.started()
    assert 500 < job.poll_at - works.house.now <= 600


@pytest.mark.parametrize("path", ["/files", "/uploads"])
async def test_a_provider_that_asks_an_upload_to_rest_gets_it(
    works: Works, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path == "/uploads":
        monkeypatch.setattr(uploading, "PART_BYTES", 16)
    provider = works.house.provider
    rest = {"Retry-After": "1000"}
    provider.fault("POST", path, status=429, code="rate_limit_exceeded", headers=rest)
    await works.started()
    await works.pass_time(900)
    assert provider.count("POST", path) == 1
    await works.pass_time(200)
    assert (await works.job()).state == "accepted"


def _missing_file(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    (works.house.folder / f"{'a' * 64}.jsonl").unlink()


def _full_disk(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/secret/place")

    monkeypatch.setattr(uploading, "unpacked_aside", full)


def _no_provider(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise TuningError(f"There is no provider {name} here.", "Configured: other.")

    monkeypatch.setattr(works.house.providers, "get", nothing)


OURS = [(_missing_file, "no longer kept"), (_full_disk, "disk"), (_no_provider, "no longer configured")]


@pytest.mark.parametrize(("breaks", "why"), OURS, ids=["file", "disk", "provider"])
async def test_what_is_wrong_here_is_not_blamed_on_the_provider(
    works: Works, monkeypatch: pytest.MonkeyPatch, breaks: Callable[..., None], why: str
) -> None:
    dataset = await works.house.dataset()
    await works.house.providers.default.profile()
    await works.engine.start(works.request(dataset.id))
    breaks(works, monkeypatch)
    await works.engine.settle()
    job = await works.job()
    told = explain(job.error, "OpenAI", created=False)
    assert (job.state, why in told.why, "refused" in told.why) == ("failed", True, False)
    assert "/secret/place" not in job.error["message"]

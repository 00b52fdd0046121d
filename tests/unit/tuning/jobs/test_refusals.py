"""What the provider refuses for good: nothing of ours stays there, and nothing that may exist is given up."""

from __future__ import annotations

import pytest

from storage import datasets
from tests.unit.tuning.jobs.conftest import Works


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "training_not_available"), (429, "insufficient_quota"), (400, "model_not_available")],
)
async def test_the_file_of_a_refused_job_is_deleted_and_sent_again_for_the_next(
    works: Works, status: int, code: str
) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", status=status, code=code, message="no")
    job = await works.started()
    assert (job.state, job.error["code"]) == ("failed", code)
    assert works.house.provider.files == []
    assert works.house.provider.created == []

    again = await works.started(intent="V2")
    assert again.state == "accepted"
    assert len(works.house.provider.files) == 1
    assert len(works.house.provider.jobs) == 1


async def test_a_file_that_another_job_uses_stays(works: Works) -> None:
    await works.started()
    works.house.provider.fault("POST", "/fine_tuning/jobs", status=403, code="training_not_available")
    refused = await works.started(intent="V2")
    assert refused.state == "failed"
    assert len(works.house.provider.files) == 1


async def test_a_delete_that_fails_does_not_hide_why_the_job_was_refused(works: Works) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", status=403, code="training_not_available")
    works.house.provider.fault("DELETE", "/files/.*", status=403, code="no")
    job = await works.started()
    assert (job.state, job.error["code"]) == ("failed", "training_not_available")
    dataset = await works.house.store.read(lambda db: datasets.get(db, job.dataset_id))
    upload = await works.house.store.read(lambda db: datasets.upload_of(db, dataset.sha256, job.provider))
    assert upload is not None
    assert upload.state == "sent"


async def test_a_key_that_is_refused_while_a_create_is_looked_up_gives_nothing_up(works: Works) -> None:
    works.house.provider.fault("POST", "/fine_tuning/jobs", after=True)
    works.house.provider.fault("GET", "/fine_tuning/jobs", status=401, code="invalid_api_key")
    await works.started()
    await works.pass_time()
    assert (await works.job()).state == "sending"
    await works.pass_time()
    await works.pass_time()
    assert (await works.job()).state != "failed"
    assert (await works.job()).provider_job_id == "ftjob-1"
    assert len(works.house.provider.created) == 1

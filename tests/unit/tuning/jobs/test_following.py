"""A job that was started elsewhere is brought into a channel, once."""

from __future__ import annotations

import pytest

from storage import datasets, jobs, outbox
from tests.support.samples import a_dataset, a_job
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import JobError, JobNotFound


async def test_a_job_started_elsewhere_is_offered_followed_and_told(works: Works) -> None:
    theirs = works.house.provider.job(suffix="triage-4", status="running")
    (found,) = await works.engine.unknown_jobs()
    assert (found.provider, found.job.id) == ("openai", theirs["id"])
    job = await works.engine.follow(theirs["id"], "C1", "U1")
    assert (job.name, job.channel, job.owner, job.provider_job_id) == ("triage-4", "C1", "U1", theirs["id"])
    assert await works.engine.unknown_jobs() == []
    dataset, cards = await works.house.store.read(
        lambda db: (datasets.get(db, job.dataset_id), outbox.of_kind(db, "job_card"))
    )
    assert dataset.channel == "C1"
    assert [card.channel for card in cards] == ["C1"]


async def test_a_job_is_followed_once_and_elsewhere_its_name_is_not_told(works: Works) -> None:
    theirs = works.house.provider.job(suffix="classified-7")
    await works.engine.follow(theirs["id"], "G0PRIVATE", "U1")
    with pytest.raises(JobError, match="classified-7 is followed here already"):
        await works.engine.follow(f"openai|{theirs['id']}", "G0PRIVATE", "U2")
    with pytest.raises(JobError) as refused:
        await works.engine.follow(theirs["id"], "C1", "U2")
    assert "classified" not in str(refused.value)


async def test_a_job_of_ours_whose_id_is_not_on_record_yet_is_nobodys_to_follow(works: Works) -> None:
    """Between the provider's yes and our record of it; the job may be of a private channel."""
    ours = a_job(intent="V1", channel="G0PRIVATE", provider="openai", state="sending")
    await works.house.store.write(lambda db: datasets.add(db, a_dataset(channel="G0PRIVATE")))
    await works.house.store.write(lambda db: jobs.add(db, ours))
    theirs = works.house.provider.job(suffix="classified-7", metadata={"ftbot_intent": "V1"})
    assert await works.engine.unknown_jobs() == []
    with pytest.raises(JobError) as refused:
        await works.engine.follow(theirs["id"], "C1", "U2")
    assert "classified" not in str(refused.value)


async def test_an_id_that_no_provider_knows_is_said_to_be_unknown(works: Works) -> None:
    with pytest.raises(JobNotFound):
        await works.engine.follow("ftjob-nowhere", "C1", "U1")

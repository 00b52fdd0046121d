"""A dataset is deleted at its providers too, unless something there still needs it."""

from __future__ import annotations

from typing import Any

import pytest

from storage import chats, datasets, jobs, outbox
from storage.chat_records import ChannelModel
from storage.records import Dataset, Job, Upload
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import DatasetBusy, JobError, Refused, TuningError
from tuning.jobs import Intake


@pytest.fixture
def intake(works: Works) -> Intake:
    pool: Any = works.pool
    house = works.house
    return Intake(house.store, house.providers, house.clock, pool, house.folder / "kept")


async def sent(works: Works, dataset: Dataset) -> str:
    """The dataset's file at the provider, as after an upload."""
    file_id = f"file-{len(works.house.provider.files) + 1}"
    works.house.provider.files.insert(0, {"id": file_id, "object": "file", "filename": "x"})
    name = works.house.providers.default.name
    upload = Upload(str(dataset.sha256), name, "x", "sent", 1.0, file_id=file_id)
    await works.house.store.write(lambda db: datasets.want_upload(db, upload))
    return file_id


async def upload_of(works: Works, dataset: Dataset) -> Upload | None:
    name = works.house.providers.default.name
    return await works.house.store.read(lambda db: datasets.upload_of(db, dataset.sha256, name))


async def test_the_file_goes_here_and_there(works: Works, intake: Intake) -> None:
    dataset = await works.house.dataset()
    file_id = await sent(works, dataset)
    ties = await intake.ties(dataset.id)
    assert [(copy.file_id, copy.needed_by) for copy in ties.there] == [(file_id, "")]
    gone = await intake.remove_everywhere(dataset.id, "U1")
    assert (gone.state, gone.path, gone.closed_by) == ("deleted", None, "U1")
    assert len(gone.gone_from) == 1
    assert works.house.provider.files == []
    assert await upload_of(works, dataset) is None


async def test_deleting_here_only_leaves_the_provider_alone(works: Works, intake: Intake) -> None:
    dataset = await works.house.dataset()
    await sent(works, dataset)
    gone = await intake.remove(dataset.id, "U1", "deleted")
    assert (gone.state, gone.gone_from, len(works.house.provider.files)) == ("deleted", [], 1)


async def test_the_same_content_of_another_drop_keeps_it_there(works: Works, intake: Intake) -> None:
    dataset = await works.house.dataset()
    await works.house.dataset("other.jsonl")
    await sent(works, dataset)
    [copy] = (await intake.ties(dataset.id)).there
    assert copy.needed_by == "other.jsonl v1, the same content"
    gone = await intake.remove_everywhere(dataset.id, "U1")
    assert (gone.state, gone.gone_from, len(works.house.provider.files)) == ("deleted", [], 1)


async def test_what_another_channel_needs_is_not_called_by_its_name(works: Works, intake: Intake) -> None:
    ours = await works.house.dataset()
    await sent(works, ours)
    theirs = await works.house.dataset("classified.jsonl", channel="G0PRIVATE")
    [copy] = (await intake.ties(ours.id)).there
    assert copy.needed_by == "a file of another channel, the same content"
    await works.engine.start(works.request(theirs.id, channel="G0PRIVATE", suffix="classified"))
    [copy] = (await intake.ties(ours.id)).there
    assert copy.needed_by == "a job of another channel"
    job = await works.engine.start(works.request(ours.id, intent="V2"))
    await works.engine.settle()
    await works.house.store.write(lambda db: jobs.change(db, job.id, state="failed"))
    with pytest.raises(DatasetBusy) as busy:
        await works.engine.delete_files(job.id, "U1")
    assert "a job of another channel" in str(busy.value)
    assert "classified" not in str(busy.value)


async def test_a_file_on_its_way_is_not_said_to_be_gone(works: Works, intake: Intake) -> None:
    dataset = await works.house.dataset()
    name = works.house.providers.default.name
    upload = Upload(str(dataset.sha256), name, "x", "sending", 1.0)
    await works.house.store.write(lambda db: datasets.want_upload(db, upload))
    [copy] = (await intake.ties(dataset.id)).there
    assert (copy.file_id, copy.needed_by) == ("on its way", "the sending; ask again in a minute")
    assert (await intake.remove_everywhere(dataset.id, "U1")).gone_from == []


async def test_what_an_open_job_needs_stays_everywhere(works: Works, intake: Intake) -> None:
    dataset = await works.house.dataset()
    await sent(works, dataset)
    await works.engine.start(works.request(dataset.id))
    ties = await intake.ties(dataset.id)
    assert [job.name for job in ties.open_jobs] == ["triage-1"]
    assert [copy.needed_by for copy in ties.there] == ["triage-1"]
    with pytest.raises(DatasetBusy):
        await intake.remove_everywhere(dataset.id, "U1")
    assert len(works.house.provider.files) == 1
    await works.engine.settle()


async def test_a_provider_that_does_not_delete_leaves_all_as_it_was(works: Works, intake: Intake) -> None:
    dataset = await works.house.dataset()
    file_id = await sent(works, dataset)
    works.house.provider.fault("DELETE", f"/files/{file_id}", times=9, status=403, code="no", message="No.")
    with pytest.raises(TuningError):
        await intake.remove_everywhere(dataset.id, "U1")
    kept = await works.house.store.read(lambda db: datasets.get(db, dataset.id))
    assert (kept.state, kept.gone_from) == ("ready", [])
    assert await upload_of(works, dataset) is not None


async def test_models_made_from_it_and_where_they_answer_are_named(works: Works, intake: Intake) -> None:
    dataset = await works.house.dataset()
    job = await works.engine.start(works.request(dataset.id))
    await works.engine.settle()

    def ready(db: Any) -> None:
        jobs.change(db, job.id, state="ready", fine_tuned_model="ft:x", finished_at=1.0)
        chats.use(db, ChannelModel("C1", job.provider, "ft:x", job.name, "U1", 1.0, job.id))

    await works.house.store.write(ready)
    ties = await intake.ties(dataset.id)
    assert [made.name for made in ties.models] == ["triage-1"]
    assert [choice.channel for choice in ties.in_use] == ["C1"]


async def ended(works: Works, state: str = "failed") -> Job:
    """A job that has ended, and whose file the provider still has."""
    job = await works.started()
    await works.house.store.write(lambda db: jobs.change(db, job.id, state=state))
    return await works.job(job.id)


async def test_the_upload_of_a_failed_job_goes_and_the_data_stays(works: Works) -> None:
    job = await ended(works)
    dataset = await works.house.store.read(lambda db: datasets.get(db, job.dataset_id))
    assert works.house.provider.files
    await works.engine.delete_files(job.id, "U2")
    assert works.house.provider.files == []
    assert await upload_of(works, dataset) is None
    kept = await works.house.store.read(lambda db: datasets.get(db, job.dataset_id))
    assert (kept.state, kept.path) == (dataset.state, dataset.path)
    (line,) = await works.house.store.read(lambda db: outbox.of_kind(db, "job_upload_deleted"))
    assert line.body == {"job_id": job.id, "by": "U2"}
    with pytest.raises(JobError, match="No file of triage-1"):
        await works.engine.delete_files(job.id, "U2")


async def test_after_the_upload_is_gone_the_same_data_starts_again(works: Works) -> None:
    job = await ended(works)
    await works.engine.delete_files(job.id, "U2")
    await works.engine.start(works.request(job.dataset_id, intent="V2"))
    await works.engine.settle()
    assert len(works.house.provider.files) == 1
    await works.house.store.write(lambda db: jobs.change(db, 2, state="failed"))
    await works.engine.delete_files(job.id, "U2")
    assert len(await works.house.store.read(lambda db: outbox.of_kind(db, "job_upload_deleted"))) == 1


async def test_the_upload_stays_while_an_open_job_needs_it(works: Works) -> None:
    job = await ended(works)
    await works.engine.start(works.request(job.dataset_id, intent="V2"))
    await works.engine.settle()
    with pytest.raises(DatasetBusy, match="triage-2"):
        await works.engine.delete_files(job.id, "U2")
    assert len(works.house.provider.files) == 1


async def test_an_upload_that_the_provider_keeps_is_not_forgotten_here(works: Works) -> None:
    job = await ended(works)
    works.house.provider.fault("DELETE", "/files/.*", status=403, code="no", message="no")
    with pytest.raises(Refused):
        await works.engine.delete_files(job.id, "U2")
    dataset = await works.house.store.read(lambda db: datasets.get(db, job.dataset_id))
    assert await upload_of(works, dataset) is not None
    assert await works.house.store.read(lambda db: outbox.of_kind(db, "job_upload_deleted")) == []

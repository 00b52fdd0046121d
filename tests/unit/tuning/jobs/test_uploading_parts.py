"""A large file goes up in parts, and an upload that was cut off goes on behind the last part taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from storage import datasets
from storage.records import Upload
from tests.unit.tuning.jobs.conftest import Works, build
from tuning.jobs import Intake, uploading
from tuning.jobs.failures import explain

PARTS = "/uploads/[^/]+/parts"
COMPLETE = "/uploads/[^/]+/complete"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "PART_BYTES", 16)


async def _upload(works: Works) -> Upload:
    found = await works.house.store.read(lambda db: datasets.upload_of(db, "a" * 64, "openai"))
    assert found is not None
    return found


def _sent(works: Works) -> list[str]:
    """What the provider has put together, upload by upload."""
    return [one["content"] for one in works.house.provider.announced.values() if "content" in one]


def _content(works: Works) -> str:
    return (works.house.folder / f"{'a' * 64}.jsonl").read_text()


async def test_a_large_file_arrives_whole_under_its_name(works: Works) -> None:
    job = await works.started()
    assert (job.state, works.house.provider.created[0]["training_file"]) == ("accepted", "file-1")
    assert _sent(works) == [_content(works)]
    assert [f["filename"] for f in works.house.provider.files] == ["aaaaaaaaaaaa-triage.jsonl"]
    assert works.house.provider.count("POST", PARTS) == -(-len(_content(works)) // 16)
    assert works.house.provider.count("POST", "/files") == 0
    upload = await _upload(works)
    assert (upload.state, upload.session, upload.part_ids) == ("sent", None, [])


async def test_a_small_file_goes_in_one_piece(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "PART_BYTES", 16 << 20)
    await works.started()
    assert (works.house.provider.count("POST", "/files"), works.house.provider.uploads) == (1, {})


async def test_a_provider_without_parts_gets_one_piece(works: Works) -> None:
    works.house.provider.models = [{"id": "llama", "object": "model", "created": 1, "owned_by": "x"}]
    await works.started(base="llama")
    assert (works.house.provider.count("POST", "/files"), works.house.provider.uploads) == (1, {})


async def test_a_death_between_two_parts_sends_none_of_them_again(works: Works) -> None:
    provider = works.house.provider
    for _ in range(3):
        provider.fault("POST", PARTS, status=0)  # three pass, the fourth is never answered
    provider.fault("POST", PARTS, status=503, hang=60.0)
    dataset = await works.house.dataset()
    await works.engine.start(works.request(dataset.id))
    await works.until(lambda: provider.count("POST", PARTS) == 4)
    assert (await _upload(works)).part_ids == ["part_1", "part_2", "part_3"]
    await works.new_life()
    await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert _sent(works) == [_content(works)]
    assert len(provider.uploads) == 1
    assert provider.count("POST", PARTS) == -(-len(_content(works)) // 16) + 1


async def test_a_part_whose_answer_was_lost_is_not_in_the_file_twice(works: Works) -> None:
    works.house.provider.fault("POST", PARTS, status=500, after=True)
    await works.started()
    assert (await _upload(works)).state == "sending"
    await works.pass_time()
    assert _sent(works) == [_content(works)]
    assert (await works.job()).state == "accepted"


async def test_a_completion_whose_answer_was_lost_is_found_by_name(works: Works) -> None:
    works.house.provider.fault("POST", "/uploads/[^/]+/complete", status=500, after=True)
    await works.started()
    await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert len(works.house.provider.files) == len(works.house.provider.uploads) == 1


async def test_a_session_that_ran_out_is_begun_anew(works: Works) -> None:
    provider = works.house.provider
    provider.fault("POST", PARTS, status=0)
    provider.fault("POST", PARTS, status=503)
    await works.started()
    provider.announced["upload_1"]["status"] = "expired"
    await works.pass_time()
    await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert _sent(works) == [_content(works)]
    assert len(provider.uploads) == 2


async def test_a_limit_of_the_moment_keeps_the_session(works: Works) -> None:
    works.house.provider.fault("POST", PARTS, status=0)
    works.house.provider.fault("POST", PARTS, status=429, code="rate_limit_exceeded")
    await works.started()
    await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert len(works.house.provider.uploads) == 1


async def test_a_refusal_is_kept_in_the_providers_words(works: Works) -> None:
    works.house.provider.fault("POST", "/uploads", status=400, code="bad", message="no such purpose")
    await works.started()
    upload = await _upload(works)
    assert (upload.state, upload.session) == ("failed", None)
    assert "no such purpose" in str(upload.error)
    assert not list(Path(works.house.folder).glob("open-*"))


@pytest.mark.parametrize("size", [17, 31, 32, 33, 48])
async def test_every_size_arrives_whole(works: Works, size: int) -> None:
    dataset = await works.house.dataset()
    (works.house.folder / f"{'a' * 64}.jsonl").write_text("x" * size)
    await works.engine.start(works.request(dataset.id))
    await works.engine.settle()
    assert _sent(works) == ["x" * size]
    assert works.house.provider.count("POST", PARTS) == -(-size // 16)


REFUSALS = [(401, "invalid_api_key", "key"), (403, "http_403", "key"), (429, "insufficient_quota", "credit")]


@pytest.mark.parametrize(("status", "code", "word"), REFUSALS)
async def test_a_refusal_of_the_account_in_the_middle_is_explained_and_loses_no_part(
    works: Works, status: int, code: str, word: str
) -> None:
    provider = works.house.provider
    provider.fault("POST", PARTS, status=0)
    provider.fault("POST", PARTS, status=status, code=code, message="no")
    job = await works.started()
    assert job.state == "failed"
    told = explain(job.error, "OpenAI", created=False)
    assert word in f"{told.why} {told.todo}"
    assert "file" not in told.why
    await works.pass_time()
    assert (await works.started(intent="V2")).state == "accepted"
    assert _sent(works) == [_content(works)]
    assert len(provider.uploads) == 1


@pytest.mark.parametrize("status", [400, 404])
async def test_a_session_that_the_provider_has_lost_is_begun_anew(works: Works, status: int) -> None:
    provider = works.house.provider
    provider.fault("POST", PARTS, status=0)
    provider.fault("POST", PARTS, status=503)
    await works.started()
    provider.fault("POST", "/uploads/upload_1/.*", status=status, code=None, message="No such", times=9)
    for _ in range(3):
        await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert _sent(works) == [_content(works)]
    assert len(provider.files) == 1


async def test_a_file_that_is_listed_long_after_its_completion_is_not_sent_twice(works: Works) -> None:
    provider = works.house.provider
    provider.fault("POST", COMPLETE, status=500, after=True)
    await works.started()
    late, provider.files[:] = list(provider.files), []
    await works.pass_time()
    provider.files[:] = late
    for _ in range(3):
        await works.pass_time()
    assert (await works.job()).state == "accepted"
    assert len(_sent(works)) == len(provider.files) == len(provider.uploads) == 1


async def test_two_lives_at_once_leave_one_file(works: Works) -> None:
    """The old process hangs at a part while the new one goes on."""
    provider = works.house.provider
    provider.fault("POST", PARTS, status=0)
    provider.fault("POST", PARTS, status=0, hang=0.7)
    dataset = await works.house.dataset()
    await works.engine.start(works.request(dataset.id))
    await works.until(lambda: provider.count("POST", PARTS) == 2)
    second = build(works.house, works.pool)
    works.house.now += 400
    await second.tick()
    await second.settle()
    await works.engine.settle()
    for _ in range(3):
        await works.pass_time()
    await second.close()
    assert (await works.job()).state == "accepted"
    assert _sent(works) == [_content(works)]
    assert len(provider.files) == len(provider.created) == 1
    assert (await _upload(works)).state == "sent"


def _intake(works: Works) -> Intake:
    pool: Any = works.pool
    return Intake(works.house.store, works.house.providers, works.house.clock, pool, works.house.folder)


async def _want(works: Works) -> int:
    """An accepted drop that is to go up, without a job."""
    dataset = await works.house.dataset()
    wanted = Upload("a" * 64, "openai", "aaaaaaaaaaaa-triage.jsonl", "due", 1.0)
    await works.house.store.write(lambda db: datasets.want_upload(db, wanted))
    return dataset.id


async def test_data_that_is_deleted_while_its_parts_go_up_stops_and_leaves_nothing_there(
    works: Works,
) -> None:
    provider = works.house.provider
    dataset_id = await _want(works)
    provider.fault("POST", PARTS, status=0)
    provider.fault("POST", PARTS, status=0, hang=0.3)
    await works.engine.tick()
    await works.until(lambda: provider.count("POST", PARTS) == 2)
    await _intake(works).remove_everywhere(dataset_id, "U1")
    await works.engine.settle()
    assert provider.count("POST", PARTS) == 2
    assert provider.announced["upload_1"]["status"] == "cancelled"
    await works.pass_time()
    assert (provider.files, len(provider.uploads)) == ([], 1)


async def test_data_that_is_deleted_while_it_goes_up_in_one_piece_is_deleted_there_too(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PART_BYTES", 16 << 20)
    provider = works.house.provider
    dataset_id = await _want(works)
    provider.fault("POST", "/files", status=0, hang=0.3)
    await works.engine.tick()
    await works.until(lambda: len(provider.files) == 1)
    await _intake(works).remove_everywhere(dataset_id, "U1")
    await works.engine.settle()
    assert provider.files == []
    found = await works.house.store.read(lambda db: datasets.upload_of(db, "a" * 64, "openai"))
    assert found is None


async def test_many_files_go_up_a_few_at_a_time(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that goes up is unpacked on the disk, and holds a part in memory."""
    monkeypatch.setattr(uploading, "PART_BYTES", 16 << 20)
    true, now, most = uploading._send, 0, 0

    async def counted(*how: Any) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return await true(*how)
        finally:
            now -= 1

    monkeypatch.setattr(uploading, "_send", counted)
    for sha in "abcdef0123":
        await works.house.dataset(f"{sha}.jsonl", sha)
        wanted = Upload(sha * 64, "openai", f"{sha}.jsonl", "due", 1.0)
        await works.house.store.write(lambda db, wanted=wanted: datasets.want_upload(db, wanted))
    await works.engine.tick()
    await works.engine.settle()
    assert len(works.house.provider.files) == 10
    assert most <= uploading.AT_ONCE

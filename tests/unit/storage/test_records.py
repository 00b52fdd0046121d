"""Datasets, uploads, jobs and chats as they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from storage import chats, datasets, jobs
from storage.chat_records import ChannelModel, ChatThread, Turn
from storage.errors import NotFound
from storage.records import Checkpoint, Dataset, Event, Job, Upload
from storage.store import Store


def dataset(drop: str, **fields: Any) -> Dataset:
    values: dict[str, Any] = {
        "id": 0, "name": "triage.jsonl", "version": 0, "channel": "C1", "thread": "1.1", "user": "U1",
        "drop_id": drop, "state": "checking", "created_at": 1.0,
    }  # fmt: skip
    return Dataset(**(values | fields))


async def add_job(store: Store, intent: str = "V1", **fields: Any) -> Job:
    await store.write(lambda db: datasets.add(db, dataset("F1")))
    values: dict[str, Any] = {
        "id": 0, "intent": intent, "name": "triage-1", "suffix": "triage", "number": 1, "provider": "p",
        "base": "b", "dataset_id": 1, "channel": "C1", "owner": "U1", "state": "sending", "created_at": 1.0,
    }  # fmt: skip
    return await store.write(lambda db: jobs.add(db, Job(**(values | fields))))


async def test_one_drop_is_one_dataset(store: Store) -> None:
    first = await store.write(lambda db: datasets.add(db, dataset("F1")))
    assert first is not None
    assert await store.write(lambda db: datasets.add(db, dataset("F1"))) is None


async def test_versions_count_contents_under_one_name_in_one_channel(store: Store) -> None:
    async def drop(number: str, sha: str, channel: str = "C1") -> int:
        made = await store.write(lambda db: datasets.add(db, dataset(number, channel=channel)))
        assert made is not None
        version = await store.write(lambda db: datasets.next_version(db, channel, made.name, sha))
        await store.write(lambda db: datasets.change(db, made.id, sha256=sha, version=version, state="ready"))
        return version

    assert [await drop("F1", "a"), await drop("F2", "b"), await drop("F3", "a")] == [1, 2, 1]
    assert await drop("F4", "b", channel="C2") == 1
    titles = [d.title for d in await store.read(lambda db: datasets.in_channel(db, "C1"))]
    assert titles == ["triage.jsonl v1", "triage.jsonl v2", "triage.jsonl v1"]


async def test_one_upload_for_each_content_and_provider_and_a_failed_one_again(store: Store) -> None:
    for provider in ("p", "q", "p"):
        upload = Upload("a", provider, "a.jsonl", "due", 1.0)
        await store.write(lambda db, upload=upload: datasets.want_upload(db, upload))
    assert len(await store.read(lambda db: datasets.uploads_in(db, "due"))) == 2
    await store.write(lambda db: datasets.change_upload(db, "a", "p", state="failed", error="no"))
    await store.write(lambda db: datasets.want_upload(db, Upload("a", "p", "a.jsonl", "due", 1.0)))
    again = await store.read(lambda db: datasets.upload_of(db, "a", "p"))
    assert again is not None
    assert (again.state, again.error) == ("due", None)


async def test_an_intent_has_one_job_and_names_count_up(store: Store) -> None:
    first = await add_job(store)
    assert (await add_job(store, name="triage-9", number=9)).id == first.id
    assert await store.read(lambda db: jobs.next_number(db, "TRIAGE")) == 2
    found = await store.read(lambda db: jobs.by_name(db, "Triage-1"))
    assert found is not None
    assert found.id == first.id
    with pytest.raises(NotFound):
        await store.read(lambda db: jobs.get(db, 99))


async def test_events_of_one_second_stay_in_the_order_they_were_kept(store: Store) -> None:
    job = await add_job(store)
    for name in ("z", "a", "m"):
        event = Event(job.id, name, 5.0, "info", "message", name, {"n": [1]})
        assert await store.write(lambda db, event=event: jobs.add_event(db, event))
        assert not await store.write(lambda db, event=event: jobs.add_event(db, event))
    assert [e.event_id for e in await store.read(lambda db: jobs.events_of(db, job.id))] == ["z", "a", "m"]
    assert await store.read(lambda db: jobs.newest_event_ids(db, job.id, 2)) == {"a", "m"}
    assert await store.read(lambda db: jobs.knows_event(db, job.id, "m"))


async def test_checkpoints_come_in_step_order_and_are_found_by_model(store: Store) -> None:
    job = await add_job(store)
    for number, step in ((2, 20), (1, 10)):
        point = Checkpoint(job.id, f"c{step}", f"m{step}", step, number, 1.0, {"valid_loss": 0.5})
        await store.write(lambda db, point=point: jobs.put_checkpoint(db, point))
    assert [c.step for c in await store.read(lambda db: jobs.checkpoints_of(db, job.id))] == [10, 20]
    found = await store.read(lambda db: jobs.checkpoint_by_model(db, "m20"))
    assert found is not None
    assert found.number == 2


async def test_a_chat_thread_keeps_its_model_and_a_message_is_one_turn(store: Store) -> None:
    first = ChatThread("C1", "1.1", "p", "m1", "one", "U1", 1.0, tools=[{"type": "function"}])
    await store.write(lambda db: chats.begin(db, first))
    second = ChatThread("C1", "1.1", "p", "m2", "two", "U1", 2.0)
    assert await store.write(lambda db: chats.begin(db, second)) == first
    turn = Turn(0, "C1", "1.1", "user", "hi", "1.2", 1.0, "U1")
    assert await store.write(lambda db: chats.add_turn(db, turn))
    assert not await store.write(lambda db: chats.add_turn(db, turn))
    assert len(await store.read(lambda db: chats.turns_of(db, "C1", "1.1"))) == 1


async def test_a_channel_moves_from_one_model_to_the_next(store: Store) -> None:
    one = ChannelModel("C1", "p", "m1", "one", "U1", 1.0)
    assert await store.write(lambda db: chats.use(db, one)) is None
    two = ChannelModel("C1", "p", "m2", "two", "U2", 2.0)
    assert await store.write(lambda db: chats.use(db, two)) == one
    assert await store.read(lambda db: chats.model_of(db, "C1")) == two

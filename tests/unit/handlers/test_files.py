"""Dropped files, from the message to the check."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from handlers import files
from handlers.download import TryAgain
from storage import datasets, inbox, outbox
from storage.records import Dataset
from tests.support.samples import a_dataset
from tests.support.surfaces import surfaces
from tests.support.waiting import until

ROWS = b'{"messages": []}\n' * 12


@pytest.fixture
async def slack(tmp_path):
    async with surfaces(tmp_path) as found:
        yield found


async def all_of(slack):
    def read(db):
        return [datasets.get(db, row["id"]) for row in db.query("SELECT id FROM datasets ORDER BY id")]

    return await slack.store.read(read)


async def finished(slack, count=1):
    async def done():
        found = await all_of(slack)
        return found if len(found) >= count and all(d.state != "checking" for d in found) else None

    return await until(done)


async def test_a_dropped_file_is_fetched_checked_and_gets_one_card(slack):
    tuning = slack.channel("tuning")
    ts = await slack.jin.drop(tuning, "triage.jsonl", ROWS)
    (dataset,) = await finished(slack)
    assert (dataset.name, dataset.channel, dataset.thread, dataset.state) == (
        "triage.jsonl",
        tuning,
        ts,
        "ready",
    )
    assert slack.intake.checked == {dataset.id: ROWS}
    card = await slack.store.read(lambda db: outbox.card(db, f"drop:{dataset.id}"))
    (notice,) = await slack.store.read(lambda db: outbox.due(db, 1e12))
    assert (notice.kind, notice.thread, notice.card) == ("drop_card", ts, card.key)
    assert list(slack.house.spool.iterdir()) == []


async def test_the_drop_gets_eyes_at_once(slack):
    tuning = slack.channel("tuning")
    await slack.jin.drop(tuning, "triage.jsonl", ROWS)
    await finished(slack)
    (message,) = await slack.jin.messages(tuning)
    assert [r["name"] for r in message["reactions"]] == ["eyes"]


async def test_a_screenshot_in_a_channel_gets_no_reaction_at_all(slack):
    tuning = slack.channel("tuning")
    await slack.jin.drop(tuning, "shot.png", b"\x89PNG")
    await slack.jin.drop(tuning, "triage.jsonl", ROWS)
    await finished(slack)
    first, _ = await slack.jin.messages(tuning)
    assert not first.get("reactions")
    assert len(await slack.items()) == 1


async def test_a_file_dropped_into_a_thread_gets_its_card_there(slack):
    tuning = slack.channel("tuning")
    root = await slack.jin.say(tuning, "data will follow")
    ts = await slack.jin.drop(tuning, "triage.jsonl", ROWS, thread_ts=root)
    (dataset,) = await finished(slack)
    assert dataset.thread == root
    assert dataset.drop_id.split(":")[1] == ts


async def test_several_files_of_one_message_get_a_card_each(slack):
    form = aiohttp.FormData()
    for name in ("train.jsonl", "valid.jsonl", "photo.jpg"):
        form.add_field("file", ROWS, filename=name)
    await slack.jin.ask("POST", f"/channels/{slack.channel('tuning')}/files", form)
    found = await finished(slack, 2)
    assert [d.name for d in found] == ["train.jsonl", "valid.jsonl"]


async def test_a_file_over_the_limit_is_refused_before_it_is_fetched(slack):
    await slack.jin.drop(slack.channel("tuning"), "big.jsonl", b"x" * 1_000_001)
    (dataset,) = await finished(slack)
    assert dataset.state == "failed"
    assert "larger than the 1.0 MB" in dataset.error
    card = await slack.store.read(lambda db: outbox.card(db, f"drop:{dataset.id}"))
    assert card.dirty == 1


async def test_a_wrong_token_names_the_missing_scope(slack, monkeypatch):
    object.__setattr__(slack.house, "bot_token", "xoxb-wrong")
    await slack.jin.drop(slack.channel("tuning"), "triage.jsonl", ROWS)
    (dataset,) = await finished(slack)
    assert dataset.state == "failed"
    assert "files:read" in dataset.error


async def test_a_csv_is_taken_in_a_direct_message_only(slack):
    await slack.jin.drop(slack.channel("tuning"), "rows.csv", b"a,b\n")
    await slack.jin.drop(await slack.dm(), "rows.csv", b"a,b\n")
    found = await finished(slack)
    assert [d.channel for d in found] == [await slack.dm()]


async def test_a_check_that_a_crash_cut_off_is_taken_up_again(slack):
    tuning = slack.channel("tuning")
    ts = await slack.jin.drop(tuning, "triage.jsonl", ROWS)
    (dataset,) = await finished(slack)
    await slack.store.write(lambda db: datasets.change(db, dataset.id, state="checking"))
    slack.intake.checked.clear()
    (slack.house.spool / "drop-half.part").write_bytes(b"half")
    await slack.worker._resume()
    (again,) = await finished(slack)
    assert again.state == "ready"
    assert slack.intake.checked == {dataset.id: ROWS}
    assert ts == again.thread
    assert list(slack.house.spool.iterdir()) == []


async def test_a_fault_of_ours_in_the_check_ends_on_the_card(slack, monkeypatch, caplog):
    async def broken(dataset_id, path):
        raise RuntimeError("pool")

    monkeypatch.setattr(slack.intake, "check", broken)
    await slack.jin.drop(slack.channel("tuning"), "triage.jsonl", ROWS)
    (dataset,) = await finished(slack)
    assert (dataset.state, "inside ftbot" in dataset.error) == ("failed", True)


async def test_a_file_that_vanished_says_so(slack):
    gone = Dataset(0, "old.jsonl", 1, "C1", "1.1", "U1", "C1:1.1:F404", "checking", 1.0)
    await slack.store.write(lambda db: datasets.add(db, gone))
    await slack.worker._resume()
    (dataset,) = await finished(slack)
    assert (dataset.state, "deleted" in dataset.error) == ("failed", True)


async def test_the_same_event_again_makes_no_second_card(slack):
    await slack.jin.drop(slack.channel("tuning"), "triage.jsonl", ROWS)
    await finished(slack)
    events = (await slack.jin.ask("POST", "/control", {"events": True}))["events"]
    await slack.control(redeliver=events[-1]["event_id"])
    ts = await slack.jin.drop(slack.channel("tuning"), "other.jsonl", ROWS)
    found = await finished(slack, 2)
    assert [d.name for d in found] == ["triage.jsonl", "other.jsonl"]
    assert found[1].thread == ts
    assert await slack.store.read(inbox.waiting) == []


@pytest.mark.parametrize("fault", [{"cut": True}, {"status": 502}, {"error": "internal_error"}])
async def test_a_reaction_that_breaks_holds_up_no_check(slack, fault):
    await slack.control(fail={"method": "reactions.add", "times": 9, **fault})
    await slack.jin.drop(slack.channel("tuning"), "triage.jsonl", ROWS)
    (dataset,) = await finished(slack)
    assert dataset.state == "ready"
    assert [item.state for item in await slack.items()] == ["done"]


async def test_drops_that_wait_for_their_reaction_take_no_room_from_others(slack, monkeypatch):
    """Slack takes some thirty reactions a minute; a hundred files are dropped in one."""
    hold = asyncio.Event()

    async def wait(self, **_):
        await hold.wait()

    monkeypatch.setattr(AsyncWebClient, "reactions_add", wait)
    monkeypatch.setattr(slack.worker, "_room", asyncio.Semaphore(2))
    for number in range(4):
        await slack.jin.drop(slack.channel("tuning"), f"triage-{number}.jsonl", ROWS)
    await slack.jin.command(slack.channel("tuning"), "/ft help")
    await slack.settled()
    hold.set()
    assert len(await finished(slack, 4)) == 4


async def test_the_rest_that_the_file_server_asks_for_is_kept(tmp_path, monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    async def fetch(self, dataset):
        if len(waited) == 2:
            return tmp_path
        problem = TryAgain("Slack's file server answered.")
        problem.after = (7.0, 0.0)[len(waited)]
        raise problem

    monkeypatch.setattr(files.Drops, "_fetch_once", fetch)
    drops = files.Drops(cast(Any, None), lambda work: None, pause=0.5)
    monkeypatch.setattr(files, "asyncio", SimpleNamespace(sleep=sleep))
    assert await drops._fetch(a_dataset()) == tmp_path
    assert waited == [7.0, 1.0]

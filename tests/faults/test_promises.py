"""Every promise of the engine under the fault it is about."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from demo.person import words
from tests.faults.places import FaultyPlace, faulty_place, train
from tests.support.workspace import chat_file, choose, holds, typed


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[FaultyPlace]:
    async with faulty_place(tmp_path) as running:
        yield running


async def begin(place: FaultyPlace, channel: str, name: str) -> dict:
    """Drops data and sends the form; answers the job's card."""
    await place.drop(channel, "train.jsonl", chat_file(12, name))
    await place.ready(channel, 1)
    view = await place.open_form(channel)
    answer = await place.jin.submit(view, choose(view, "dataset", "train.jsonl") | typed(view, "name", name))
    assert answer["ok"], answer
    return await place.root(channel, f"{name}-1")


async def created(place: FaultyPlace, count: int) -> None:
    async def there() -> bool:
        return len(place.provider.jobs) >= count

    await place.jin.wait(f"{count} jobs at the provider", there, 60)


@pytest.mark.parametrize("fault", ["answer lost", "server error", "no answer in time", "a login page"])
async def test_1_one_job_comes_of_one_intent_whatever_the_provider_does(
    place: FaultyPlace, fault: str
) -> None:
    how = {
        "answer lost": {"status": 502, "after": True},
        "server error": {"status": 500},
        "no answer in time": {"status": 504, "after": True, "hang": 1.0},
        "a login page": {"status": 200, "after": True},
    }[fault]
    place.provider.fault("POST", "/fine_tuning/jobs", **how)
    channel = await place.channel()
    card = await begin(place, channel, "once")
    await created(place, 1)
    await train(place.provider, place.provider.jobs[0], pause=0.1)
    await place.finished(channel, card)
    assert len(place.provider.jobs) == 1


async def test_1_a_crash_after_the_create_call_makes_no_second_job(place: FaultyPlace) -> None:
    place.provider.fault("POST", "/fine_tuning/jobs", status=200, after=True, hang=20.0)
    channel = await place.channel()
    card = await begin(place, channel, "crash")
    await created(place, 1)
    await place.kill()
    await place.programs.start_bot()
    await train(place.provider, place.provider.jobs[0], pause=0.1)
    await place.finished(channel, card)
    assert len(place.provider.created) == 1


async def test_3_an_event_told_twice_is_handled_once(place: FaultyPlace) -> None:
    channel = await place.channel()
    ts = await place.drop(channel, "train.jsonl", chat_file(12, "twice"))
    events = (await place.control(events=True))["events"]
    (told,) = [e for e in events if e["event"].get("ts") == ts and e["event"]["type"] == "message"]
    for _ in range(3):
        await place.control(redeliver=told["event_id"])
    await place.ready(channel, 1)
    await place.jin.say(channel, "@ftbot jobs")
    await place.root(channel, "job")
    thread = await place.jin.thread(channel, ts)
    assert len([m for m in thread[1:] if "bot_id" in m]) == 1


async def test_4_what_was_said_while_the_bot_was_dead_is_answered_once_and_called_late(
    place: FaultyPlace,
) -> None:
    await place.control(retry_delays=[])
    channel = await place.channel()
    early = await place.drop(channel, "early.jsonl", chat_file(12, "early"))
    await place.ready(channel, 1)
    await asyncio.sleep(11)  # how far was read is written down every ten seconds
    await place.kill()
    ts = await place.drop(channel, "late.jsonl", chat_file(12, "late"))
    await place.programs.start_bot()
    await place.ready(channel, 2)
    for root in (early, ts):
        thread = await place.jin.thread(channel, root)
        assert len([m for m in thread[1:] if holds(m, "Ready to train")]) == 1


async def test_5_and_6_limits_of_both_sides_delay_and_double_nothing(place: FaultyPlace) -> None:
    await place.control(rate_limit={"method": "chat.postMessage", "seconds": 1, "times": 2})
    await place.control(rate_limit={"method": "chat.update", "seconds": 1, "times": 2})
    place.provider.fault("GET", "/fine_tuning/jobs.*", status=429, code="rate_limit", times=2)
    channel = await place.channel()
    card = await begin(place, channel, "slow")
    await created(place, 1)
    await train(place.provider, place.provider.jobs[0], pause=0.1)
    await place.finished(channel, card)
    thread = await place.jin.thread(channel, str(card["ts"]))
    said = Counter(words(m).splitlines()[0] for m in thread[1:] if "bot_id" in m)
    assert max(said.values()) == 1


async def test_6_a_final_refusal_is_explained_and_leaves_no_file_behind(place: FaultyPlace) -> None:
    place.provider.fault("POST", "/fine_tuning/jobs", status=403, code="training_not_available", message="no")
    channel = await place.channel()
    await begin(place, channel, "refused")
    await place.root(channel, "closing its fine-tuning service")
    assert place.provider.files == []
    assert place.provider.jobs == []


async def test_10_a_polite_stop_in_the_middle_of_work_ends_with_0_and_loses_nothing(
    place: FaultyPlace,
) -> None:
    channel = await place.channel()
    card = await begin(place, channel, "polite")
    await created(place, 1)
    training = asyncio.create_task(train(place.provider, place.provider.jobs[0], pause=0.2))
    bot = place.programs.running.pop("bot")
    bot.process.terminate()
    assert await bot.process.wait() == 0
    await place.programs.start_bot()
    await training
    await place.finished(channel, card)
    thread = await place.jin.thread(channel, str(card["ts"]))
    lines = [line for m in thread[1:] if "bot_id" in m for line in words(m).splitlines()]
    said = [line.split(" · ")[0] for line in lines if line.startswith("Epoch ")]
    assert said[:3] == ["Epoch 1 of 3", "Epoch 2 of 3", "Epoch 3 of 3"]

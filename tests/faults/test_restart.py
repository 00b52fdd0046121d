"""A restart loses nothing, whether the bot was killed or asked to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from demo.person import words
from tests.faults.places import FaultyPlace, faulty_place, train
from tests.support.provider import BASE
from tests.support.workspace import chat_file, choose, holds, typed

ANSWER = "one two three four"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[FaultyPlace]:
    async with faulty_place(tmp_path) as running:
        running.provider.answer = lambda body: ANSWER
        yield running


async def half_answer(place: FaultyPlace) -> tuple[str, str]:
    """A question whose answer has begun and does not go on; answers where it stands."""
    place.provider.hold = asyncio.Event()
    channel = await place.channel()
    ts = await place.jin.say(channel, f"@ftbot ask {BASE} count")
    await place.reply(channel, ts, "one")
    return channel, ts


def go_on(place: FaultyPlace) -> None:
    assert place.provider.hold is not None
    place.provider.hold.set()
    place.provider.hold = None


async def answers(place: FaultyPlace, channel: str, ts: str) -> list[str]:
    """What the bot said in a thread."""
    return [words(m) for m in (await place.jin.thread(channel, ts))[1:] if "bot_id" in m]


async def test_7_a_kill_in_the_middle_of_everything_loses_nothing(place: FaultyPlace, tmp_path: Path) -> None:
    jobs, forms, drops = [await place.channel() for _ in range(3)]
    for channel, name in ((jobs, "job"), (forms, "form")):
        await place.drop(channel, "train.jsonl", chat_file(12, name))
        await place.ready(channel, 1)
    view = await place.open_form(jobs)
    await place.submitted(view, choose(view, "dataset", "train.jsonl") | typed(view, "name", "job"))
    card = await place.root(jobs, "job-1")
    await place.created(1)
    view = await place.open_form(forms)
    chat, asked = await half_answer(place)
    await place.control(delay={"method": "download", "seconds": 60})
    await place.drop(drops, "half.jsonl", chat_file(12, "half"))

    async def fetching() -> bool:
        return any((tmp_path / "bot" / "spool").glob("drop-*.part"))

    await place.jin.wait("the file being fetched", fetching, 60)

    await place.kill()
    go_on(place)
    await train(place.provider, place.provider.jobs[0], pause=0.01)
    await place.control(clear=True)
    await place.programs.start_bot()

    await place.submitted(view, choose(view, "dataset", "train.jsonl") | typed(view, "name", "late"))
    await place.root(forms, "late-1")
    await place.ready(drops, 1)
    await place.reply(chat, asked, ANSWER)
    half, whole = await answers(place, chat, asked)
    assert half.startswith("one")
    assert "cut off" in half
    assert whole.startswith(ANSWER)
    await place.finished(jobs, card)

    async def edited() -> bool:
        return "Ready" in words((await place.jin.thread(jobs, str(card["ts"])))[0])

    await place.jin.wait("the card's newest state", edited, 60)
    assert not list((tmp_path / "bot" / "spool").glob("drop-*.part"))
    cards = [m for m in await place.jin.messages(drops) if holds(m, "half.jsonl")]
    assert cards == []
    assert sorted(str(one["suffix"]) for one in place.provider.created) == ["job-1", "late-1"]


async def test_10_a_polite_stop_ends_with_0_says_so_in_a_running_answer_and_loses_nothing(
    place: FaultyPlace,
) -> None:
    jobs = await place.channel()
    await place.drop(jobs, "train.jsonl", chat_file(12, "polite"))
    await place.ready(jobs, 1)
    view = await place.open_form(jobs)
    values = choose(view, "dataset", "train.jsonl") | typed(view, "name", "polite")
    await place.submitted(view, values)
    card = await place.root(jobs, "polite-1")
    await place.created(1)
    chat, asked = await half_answer(place)
    training = asyncio.create_task(train(place.provider, place.provider.jobs[0], pause=0.2))
    assert await place.stop() == 0
    (half,) = await answers(place, chat, asked)
    assert half.startswith("one")
    assert "I was stopped" in half
    go_on(place)
    await place.programs.start_bot()
    await training
    await place.finished(jobs, card)
    await place.reply(chat, asked, ANSWER)
    assert len(await answers(place, chat, asked)) == 2
    assert await place.told(jobs, str(card["ts"])) == [
        *(f"job_epoch:1:{number}" for number in (1, 2, 3)),
        "job_finished:1",
    ]


async def test_10_a_stop_ends_in_its_time_while_slack_answers_nothing(
    place: FaultyPlace, tmp_path: Path
) -> None:
    channel, _ = await half_answer(place)
    await place.control(delay={"method": "*", "seconds": 60, "times": 10_000, "when": "before"})
    await place.drop(channel, "train.jsonl", chat_file(12, "silent"))
    assert await place.stop() == 0
    log = (tmp_path / "bot.log").read_text("utf-8")
    assert '"event": "stopped"' in log
    assert "stopped_before_all_was_done" not in log

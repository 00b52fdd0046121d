"""Every promise of the engine under the fault it is about; one workspace, a channel for each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from handlers.posting import notices_in
from tests.faults.places import FaultyPlace, Json, faulty_place, train
from tests.support.workspace import chat_file, choose, holds, typed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[FaultyPlace]:
    async with faulty_place(tmp_path_factory.mktemp("faults")) as running:
        yield running


async def begin(place: FaultyPlace, channel: str, name: str) -> Json:
    """Drops data and sends the form; answers the job's card."""
    await place.drop(channel, "train.jsonl", chat_file(12, name))
    await place.ready(channel, 1)
    view = await place.open_form(channel)
    await place.submitted(view, choose(view, "dataset", "train.jsonl") | typed(view, "name", name))
    return await place.root(channel, f"{name}-1")


async def created(place: FaultyPlace, name: str) -> tuple[str, str, Json]:
    """A job that the provider has: its channel, its card's message and the provider's job."""
    known = len(place.provider.jobs)
    channel = await place.channel()
    card = await begin(place, channel, name)
    await place.created(known + 1)
    return channel, str(card["ts"]), place.provider.jobs[known]


def intents(jobs: list[Json]) -> Counter[str]:
    return Counter(str(job["metadata"]["ftbot_intent"]) for job in jobs)


LOST = (
    {"status": 502, "after": True},  # the answer was lost
    {"status": 500},
    {"status": 504, "after": True, "hang": 1.0},
    {"status": 200, "after": True},  # a login page
)


async def test_1_one_job_comes_of_one_intent_whatever_the_provider_does(place: FaultyPlace) -> None:
    """Each fault hits the create call of another job."""
    known = len(place.provider.jobs)
    for how in LOST:
        place.provider.fault("POST", "/fine_tuning/jobs", **how)
    rooms = [await place.channel() for _ in LOST]
    cards = [await begin(place, room, f"once{number}") for number, room in enumerate(rooms)]
    await place.created(known + len(LOST))
    made = place.provider.jobs[known:]
    await asyncio.gather(*(train(place.provider, job, pause=0.1) for job in made))
    for room, card in zip(rooms, cards, strict=True):
        await place.finished(room, card)
    assert list(intents(place.provider.jobs[known:]).values()) == [1] * len(LOST)


async def test_1_a_crash_after_the_create_call_makes_no_second_job(place: FaultyPlace) -> None:
    known = len(place.provider.jobs)
    place.provider.fault("POST", "/fine_tuning/jobs", status=200, after=True, hang=20.0)
    channel = await place.channel()
    card = await begin(place, channel, "crash")
    await place.created(known + 1)
    await place.kill()
    await place.programs.start_bot()
    await train(place.provider, place.provider.jobs[known], pause=0.1)
    await place.finished(channel, card)
    assert len(place.provider.jobs) == known + 1


SWALLOWED = (
    {"method": "chat.postMessage", "cut": True},  # the message stands there; its answer is lost
    {"method": "chat.postMessage", "status": 502},
    {"method": "chat.postMessage", "status": 503, "effect": False},
    {"method": "chat.postMessage", "status": 200},  # a proxy's words with a fine status
    {"method": "chat.update", "cut": True},
    {"method": "conversations.replies", "status": 500},  # the reading that is to find the message
    {"method": "upload", "status": 500, "times": 1},  # a picture is tried three times
    {"method": "files.completeUploadExternal", "cut": True, "times": 1},
)


async def test_2_every_notice_comes_once_and_in_order_whatever_becomes_of_slacks_answers(
    place: FaultyPlace,
) -> None:
    channel, card, job = await created(place, "lost")
    for how in SWALLOWED:
        await place.control(fail={"times": 2, **how})
    await place.control(rate_limit={"method": "files.getUploadURLExternal", "seconds": 1, "times": 1})
    await train(place.provider, job, pause=0.3)
    await place.reply(channel, card, "is ready")
    await place.control(clear=True)
    posted = await place.posted(channel, card)
    told = [notices_in(message) for message in posted]
    kinds = [":".join(one.split(":")[::2]) for ids in told for one in ids]
    assert kinds == ["job_epoch:1", "job_epoch:2", "job_epoch:3", "job_finished"]
    for ids, message in zip(told, posted, strict=True):
        pictures = [block for block in message["blocks"] if block["type"] == "image"]
        assert len(pictures) == any(one.startswith("job_epoch") for one in ids)


async def test_2_a_channel_that_the_bot_is_taken_out_of_holds_up_no_other(place: FaultyPlace) -> None:
    known = len(place.provider.jobs)
    gone, kept = await place.channel(), await place.channel()
    cards = [await begin(place, room, name) for room, name in ((gone, "gone"), (kept, "kept"))]
    await place.created(known + 2)
    user = (await place.jin.call("GET", "state"))["app"]["bot_user_id"]
    await place.jin.call("DELETE", f"channels/{gone}/members/{user}")
    await asyncio.gather(*(train(place.provider, job, pause=0.1) for job in place.provider.jobs[known:]))
    await place.finished(kept, cards[1])
    await place.jin.call("POST", f"channels/{gone}/members", json={"user": user})
    await place.jin.say(gone, "@ftbot jobs")
    await place.root(gone, "gone-1")


async def test_2_what_is_due_while_slack_refuses_the_token_is_said_when_it_is_good_again(
    place: FaultyPlace,
) -> None:
    channel, card, job = await created(place, "token")
    await place.control(token="revoked")
    await train(place.provider, job, epochs=2, pause=0.1)

    async def refused() -> bool:
        calls = (await place.control(calls=True))["calls"]
        return [c["method"] for c in calls[-20:]].count("chat.postMessage") > 1

    await place.jin.wait("posts that were refused", refused, 60)
    await place.control(token="good")
    await place.reply(channel, card, "is ready")
    told = [":".join(one.split(":")[::2]) for one in await place.told(channel, card)]
    assert told == ["job_epoch:1", "job_epoch:2", "job_finished"]


async def test_3_events_that_come_twice_or_in_the_wrong_order_are_handled_once(place: FaultyPlace) -> None:
    await place.control(events_twice="new")
    channel = await place.channel()
    await place.control(hold_events=True)
    drops = [await place.drop(channel, f"{n}.jsonl", chat_file(12, f"order{n}")) for n in range(3)]
    await place.jin.say(channel, "@ftbot help")
    await place.control(hold_events="backwards")
    await place.ready(channel, 3)
    await place.root(channel, "datasets")
    await place.control(events_twice="off")
    for ts in drops:
        thread = await place.jin.thread(channel, ts)
        assert len([m for m in thread[1:] if "bot_id" in m]) == 1
    assert len([m for m in await place.jin.messages(channel) if holds(m, "datasets")]) == 1


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


async def test_4_what_was_said_while_the_bot_was_away_is_answered_once(place: FaultyPlace) -> None:
    await place.control(retry_delays=[])
    channel = await place.channel()
    early = await place.drop(channel, "early.jsonl", chat_file(12, "early"))
    await place.ready(channel, 1)
    await place.stop()
    ts = await place.drop(channel, "late.jsonl", chat_file(12, "late"))
    await place.programs.start_bot()
    await place.ready(channel, 2)
    await place.control(retry_delays=[0.1, 60, 300])
    for root in (early, ts):
        thread = await place.jin.thread(channel, root)
        assert len([m for m in thread[1:] if holds(m, "Ready to train")]) == 1


async def test_5_and_6_limits_of_both_sides_delay_and_double_nothing(place: FaultyPlace) -> None:
    known = len(place.provider.jobs)
    channel = await place.channel()
    await place.control(rate_limit={"method": "chat.postMessage", "seconds": 1, "times": 2})
    await place.control(rate_limit={"method": "chat.update", "seconds": 1, "times": 2})
    card = await begin(place, channel, "slow")
    await place.created(known + 1)
    place.provider.fault("GET", "/fine_tuning/jobs.*", status=429, code="rate_limit", times=2)
    await train(place.provider, place.provider.jobs[known], pause=0.1)
    await place.finished(channel, card)
    told = [one.split(":") for one in await place.told(channel, str(card["ts"]))]
    epochs = [["job_epoch", str(number)] for number in (1, 2, 3)]
    assert [[kind, *rest] for kind, _, *rest in told] == [*epochs, ["job_finished"]]


async def test_6_a_final_refusal_is_explained_and_leaves_no_file_behind(place: FaultyPlace) -> None:
    files, jobs = len(place.provider.files), len(place.provider.jobs)
    place.provider.fault("POST", "/fine_tuning/jobs", status=403, code="training_not_available", message="no")
    channel = await place.channel()
    await begin(place, channel, "refused")
    await place.root(channel, "closing its fine-tuning service")

    async def deleted() -> bool:
        return len(place.provider.files) == files

    await place.jin.wait("the file deleted at the provider", deleted, 60)
    assert len(place.provider.jobs) == jobs

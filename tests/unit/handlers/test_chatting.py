"""Talking to a model in a thread, over real sockets."""

from __future__ import annotations

import asyncio

import pytest

from storage import chats
from tests.support.surfaces import MODEL, surfaces
from tests.support.waiting import until
from tuning.errors import ModelGone, ModelLoading, Refused


@pytest.fixture
async def slack(tmp_path):
    async with surfaces(tmp_path) as found:
        found.chat.model = MODEL
        yield found


async def replies(slack, channel, ts, count=1):
    """The finished replies in a thread, once there are ``count``."""

    async def look():
        await slack.settled()
        found = [m for m in (await slack.jin.thread(channel, ts))[1:] if not m.get("streaming")]
        return found if len(found) >= count else None

    return await until(look)


def shown(message):
    return next((b["text"] for b in message["blocks"] if b["type"] == "markdown"), "")


async def mention(slack, text, thread=None, channel="tuning"):
    room = slack.channel(channel)
    return room, await slack.jin.say(room, f"@ftbot {text}", thread)


async def test_a_mention_is_answered_in_its_thread_by_the_channels_model(slack):
    room, ts = await mention(slack, "my card was charged twice")
    (answer,) = await replies(slack, room, ts)
    assert shown(answer) == "billing | high"
    assert "triage-7" in str(answer["blocks"])
    (turns,) = slack.chat.asked
    assert [turn.text for turn in turns] == ["my card was charged twice"]


async def test_the_first_answer_says_how_the_thread_works_and_the_second_does_not(slack):
    room, ts = await mention(slack, "first")
    await replies(slack, room, ts)
    await slack.jin.say(room, "second", ts)
    first, _, second = await replies(slack, room, ts, 3)
    assert "name nobody else" in str(first["blocks"])
    assert "name nobody else" not in str(second["blocks"])


async def test_replies_in_a_chat_thread_need_no_mention_and_carry_the_talk_so_far(slack):
    room, ts = await mention(slack, "first")
    await replies(slack, room, ts)
    await slack.jin.say(room, "second", ts)
    await replies(slack, room, ts, 3)
    assert [(t.role, t.text) for t in slack.chat.asked[-1]] == [
        ("user", "first"),
        ("assistant", "billing | high"),
        ("user", "second"),
    ]


async def test_a_reply_that_names_somebody_else_is_left_alone(slack):
    room, ts = await mention(slack, "first")
    await replies(slack, room, ts)
    await slack.jin.say(room, "@mina do you agree?", ts)
    await slack.jin.say(room, "and this?", ts)
    await replies(slack, room, ts, 4)
    assert len(slack.chat.asked) == 2


async def test_in_a_thread_of_other_people_only_mentions_are_answered(slack):
    room = slack.channel("tuning")
    ts = await slack.mina.say(room, "lunch?")
    await slack.jin.say(room, "@ftbot what would you say", ts)
    await replies(slack, room, ts, 2)
    await slack.mina.say(room, "pizza", ts)
    await slack.jin.say(room, "@ftbot and now", ts)
    await replies(slack, room, ts, 5)
    assert [turns[-1].text for turns in slack.chat.asked] == ["what would you say", "and now"]


async def test_stop_ends_it_even_while_an_answer_grows(slack):
    slack.chat.hold = asyncio.Event()
    slack.chat.pieces = ["one ", "two ", "three"]
    room, ts = await mention(slack, "count")
    await until(lambda: slack.chat.asked)
    await slack.mina.say(room, "@ftbot stop", ts)

    async def stopped():
        thread = await slack.store.read(lambda db: chats.get(db, room, ts))
        return thread is not None and not thread.active

    await until(stopped)
    slack.chat.hold.set()
    await replies(slack, room, ts, 3)
    await slack.jin.say(room, "are you there?", ts)
    await slack.settled()
    (answer,) = [m for m in (await slack.jin.thread(room, ts))[1:] if "stopped" in str(m.get("blocks"))]
    assert "three" not in shown(answer)
    assert len(slack.chat.asked) == 1


async def test_without_a_model_the_person_alone_is_told_what_to_do(slack):
    slack.chat.model = None
    room, ts = await mention(slack, "hello there")

    async def told():
        return [m for m in await slack.jin.messages(room) if m.get("ephemeral")]

    (said,) = await until(told)
    assert ".jsonl" in str(said)
    assert not any(m.get("ephemeral") for m in await slack.mina.messages(room))
    assert ts in [m["ts"] for m in await slack.jin.messages(room)]


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ModelLoading("triage-7 is new.", "Try again in a minute."), "Try again in a minute."),
        (ModelGone("The provider no longer has triage-7."), "no longer has"),
        (Refused("x", 400, "The provider refused this.", "no <!channel>"), "says: “no &lt;!channel>”"),
    ],
)
async def test_a_model_that_cannot_answer_ends_with_a_kind_sentence(slack, problem, words):
    slack.chat.pieces = ["Half of ", problem]
    room, ts = await mention(slack, "hello")
    (answer,) = await replies(slack, room, ts)
    assert shown(answer).startswith("Half of ")
    assert words in shown(answer)
    assert not answer.get("streaming")


async def test_an_empty_answer_is_said_to_be_empty(slack):
    slack.chat.pieces = []
    room, ts = await mention(slack, "hello")
    (answer,) = await replies(slack, room, ts)
    assert "nothing" in shown(answer)


async def test_model_text_can_ping_nobody(slack):
    slack.chat.pieces = ["<", "!chan", "nel> <@", slack.user("mina"), "> [safe](https://evil.example)"]
    room, ts = await mention(slack, "hello")
    (answer,) = await replies(slack, room, ts)
    assert "<" not in shown(answer)
    assert "](" not in shown(answer)


async def test_where_streaming_is_limited_the_answer_comes_as_an_edited_message(slack):
    await slack.control(rate_limit={"method": "chat.startStream", "seconds": 30, "times": 5})
    room, ts = await mention(slack, "hello")
    (answer,) = await replies(slack, room, ts)
    assert shown(answer) == "billing | high"
    assert not await slack.calls("chat.appendStream")


async def test_a_long_answer_goes_on_in_a_second_message(slack):
    slack.chat.pieces = [f"line {i} of a long answer\n" for i in range(600)]
    room, ts = await mention(slack, "hello")
    first, second = await replies(slack, room, ts, 2)
    assert shown(first) + shown(second) == "".join(slack.chat.pieces)
    assert "triage-7" not in str(first["blocks"][1:])
    assert "triage-7" in str(second["blocks"])


async def test_a_direct_message_needs_no_mention(slack):
    dm = await slack.dm()
    ts = await slack.jin.say(dm, "my card was charged twice")
    (answer,) = await replies(slack, dm, ts)
    assert shown(answer) == "billing | high"


async def test_a_question_that_was_answered_is_not_answered_again(slack):
    room, ts = await mention(slack, "hello")
    await replies(slack, room, ts)
    (item,) = [i for i in await slack.items() if i.kind == "message"]
    assert (item.state, item.payload) == ("done", {})
    events = (await slack.jin.ask("POST", "/control", {"events": True}))["events"]
    for event in events:
        await slack.control(redeliver=event["event_id"])
    await slack.jin.say(room, "more", ts)
    await replies(slack, room, ts, 3)
    assert len(slack.chat.asked) == 2

"""Slash commands, over real sockets."""

from __future__ import annotations

import pytest

from handlers import commands
from handlers.answer import Answer, Message
from handlers.incoming import read_command
from tests.support.surfaces import surfaces
from tests.support.waiting import until


@pytest.fixture
async def slack(tmp_path):
    async with surfaces(tmp_path) as found:
        yield found


@pytest.fixture
def calls(monkeypatch):
    """The verb calls that came in; the answer to them can be set."""

    class Calls(list):
        answer = Answer(Message("done"))

    seen = Calls()

    async def dispatch(call, house):
        seen.append(call)
        if isinstance(seen.answer, Exception):
            raise seen.answer
        return seen.answer

    monkeypatch.setattr(commands, "dispatch", dispatch)
    return seen


async def texts(person, channel, ephemeral):
    found = await person.messages(channel)
    return [m["text"] for m in found if bool(m.get("ephemeral")) is ephemeral]


async def heard(person, channel, text, *, ephemeral=True):
    async def look():
        return text in await texts(person, channel, ephemeral)

    await until(look)


@pytest.mark.parametrize(
    ("text", "verb", "args"), [("", "help", ""), ("Jobs", "jobs", ""), ("use  triage-7 ", "use", "triage-7")]
)
def test_what_is_typed_becomes_a_verb_and_its_words(text, verb, args):
    call = commands.call_of(
        read_command({"channel_id": "C1", "user_id": "U1", "text": text, "trigger_id": "t"})
    )
    assert (call.verb, call.args, call.surface, call.trigger_id) == (verb, args, "slash", "t")


async def test_an_answer_is_for_the_person_alone(slack, calls):
    tuning = slack.channel("tuning")
    assert await slack.jin.command(tuning, "/ft jobs") == {"ok": True}
    await heard(slack.jin, tuning, "done")
    assert await texts(slack.mina, tuning, True) == []
    assert [(c.verb, c.user, c.channel) for c in calls] == [("jobs", slack.user("jin"), tuning)]


async def test_news_for_the_channel_is_for_everybody(slack, calls):
    calls.answer = Answer(Message("news"), public=True)
    tuning = slack.channel("tuning")
    await slack.jin.command(tuning, "/ft use triage-7")
    await heard(slack.mina, tuning, "news", ephemeral=False)


async def test_a_command_works_where_the_bot_is_no_member(slack, calls):
    random = slack.channel("random")
    await slack.jin.command(random, "/ft help")
    await heard(slack.jin, random, "done")


async def test_a_bug_in_a_verb_is_answered_kindly_and_once(slack, calls):
    calls.answer = RuntimeError("secret of ours")
    tuning = slack.channel("tuning")
    assert await slack.jin.command(tuning, "/ft jobs") == {"ok": True}

    async def told():
        return await texts(slack.jin, tuning, True)

    (text,) = await until(told)
    assert "secret" not in text
    await slack.settled()
    (item,) = await slack.items()
    assert (item.state, item.error, len(calls)) == ("failed", "RuntimeError", 1)


async def test_nonsense_gets_the_nearest_verb(slack):
    tuning = slack.channel("tuning")
    await slack.jin.command(tuning, "/ft strat")

    async def told():
        return await texts(slack.jin, tuning, True)

    (text,) = await until(told)
    assert "start" in text

"""Mentions: the same verbs as the slash command, everything else is chat."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import mentions
from handlers.answer import Answer, Message
from handlers.incoming import Incoming
from tests.support.surfaces import surfaces
from tests.support.waiting import until


@pytest.fixture
async def slack(tmp_path):
    async with surfaces(tmp_path) as found:
        yield found


def said(text, **changes):
    fields: dict[str, Any] = {
        "kind": "message",
        "user": "U1",
        "channel": "C1",
        "text": text,
        "mentioned": True,
    }
    given: dict[str, Any] = {**fields, "ts": "1.1", **changes}
    return Incoming(**given)


@pytest.mark.parametrize(
    ("text", "verb", "args"), [("", "help", ""), ("Jobs", "jobs", ""), ("/use triage-7", "use", "triage-7")]
)
def test_a_mention_is_the_same_call_as_the_slash_command(text, verb, args):
    call = mentions.call_of(said(text))
    assert call is not None
    assert (call.verb, call.args, call.surface, call.message_ts, call.trigger_id) == (
        verb,
        args,
        "mention",
        "1.1",
        None,
    )


def test_what_is_no_verb_is_chat():
    assert mentions.call_of(said("my card was charged twice")) is None


def test_a_reply_without_mention_is_never_a_verb():
    assert mentions.call_of(said("jobs are hard to find", mentioned=False, thread="0.9")) is None
    assert mentions.call_of(said("jobs", mentioned=False, is_dm=True)) is not None


@pytest.mark.parametrize("in_thread", [False, True])
async def test_an_answer_to_one_person_is_seen_by_them_alone(slack, in_thread):
    room = slack.channel("tuning")
    root = await slack.mina.say(room, "hello all") if in_thread else None
    await slack.jin.say(room, "@ftbot jobs", root)

    async def seen(person):
        found = await (person.thread(room, root) if root else person.messages(room))
        return [m for m in found if m.get("ephemeral")]

    await until(lambda: seen(slack.jin))
    assert await seen(slack.mina) == []


async def test_news_is_posted_in_the_thread_under_the_mention(slack, monkeypatch):
    async def dispatch(call, house):
        return Answer(Message("news"), public=True)

    monkeypatch.setattr(mentions, "dispatch", dispatch)
    room = slack.channel("tuning")
    ts = await slack.jin.say(room, "@ftbot jobs")

    async def look():
        return [m["text"] for m in (await slack.mina.thread(room, ts))[1:]]

    assert await until(look) == ["news"]


async def test_a_mention_is_handled_once_though_slack_tells_it_twice(slack):
    room = slack.channel("tuning")
    await slack.jin.say(room, "@ftbot jobs")

    async def look():
        return [m for m in await slack.jin.messages(room) if m.get("ephemeral")]

    await until(look)
    kinds = {
        e["event"]["type"] for e in (await slack.jin.ask("POST", "/control", {"events": True}))["events"]
    }
    assert kinds == {"message", "app_mention"}
    assert len(await slack.items()) == 1


async def test_stop_where_nothing_runs_says_so(slack):
    room = slack.channel("tuning")
    await slack.jin.say(room, "@ftbot stop")

    async def look():
        return [m["text"] for m in await slack.jin.messages(room) if m.get("ephemeral")]

    (text,) = await until(look)
    assert "nothing to stop" in text

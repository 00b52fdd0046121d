"""An answer comes back to where the wish came from, and no apology lets foreign text act."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError, SlackRequestError

from handlers import reply
from handlers.answer import Answer, Message
from handlers.download import TryAgain
from handlers.errors import BadCall
from handlers.house import House
from handlers.incoming import Incoming
from storage.errors import NotFound
from tests.support.foreign import FOREIGN, acts_nowhere
from tests.support.house import PlayedSlack
from tuning.errors import ModelGone, NoModel, Refused, Unreachable

SAID = Message("hello", [{"type": "divider"}])


def slack_error(code: str, status: int = 200) -> SlackApiError:
    response = SimpleNamespace(data={"error": code}, status_code=status, headers={})
    return SlackApiError("no", cast(Any, response))


@settings(max_examples=60, deadline=None)
@given(FOREIGN, st.sampled_from(["/ft", "/tune"]))
def test_no_apology_lets_foreign_text_act(odd: str, command: str) -> None:
    problems: list[Exception] = [
        NoModel(odd, odd),
        ModelGone(odd, odd),
        BadCall(odd, odd),
        NotFound(odd),
        Refused("x", 400, odd, odd, todo=odd),
        Unreachable("x", 503, odd, odd),
        ValueError(odd),
        slack_error(odd),
        slack_error("not_in_channel"),
        slack_error("expired_trigger_id"),
        slack_error("internal_error", 500),
    ]
    for problem in problems:
        acts_nowhere(reply.apology(problem, command))


def test_what_went_wrong_inside_is_told_without_its_words() -> None:
    message = reply.apology(ValueError("a row of somebody's data"), "/ft")
    assert "somebody" not in message.text + str(message.blocks)


@pytest.mark.parametrize(
    ("problem", "passes"),
    [
        (slack_error("ratelimited", 429), True),
        (slack_error("internal_error", 500), True),
        (slack_error("channel_not_found"), False),
        (aiohttp.ClientConnectionError(), True),
        (TimeoutError(), True),
        (SlackRequestError("Failed to upload a file (status: 429)"), True),
        (Unreachable("network", None, "x"), True),
        (TryAgain("Slack did not say where the file is."), True),
        (Refused("x", 400, "x"), False),
        (ValueError(), False),
    ],
)
def test_what_may_pass_is_tried_again(problem: Exception, passes: bool) -> None:
    assert reply.passing(problem) is passes


async def given_to(to: Incoming, answer: Answer | None) -> list[tuple[str, dict[str, Any]]]:
    slack = PlayedSlack()
    await reply.answer(cast(House, SimpleNamespace(client=slack)), to, answer)
    return slack.calls


def came(kind: Any, **more: Any) -> Incoming:
    return Incoming(kind, "U1", more.pop("channel", "C1"), **more)


@pytest.mark.parametrize(
    ("to", "answer", "method", "where"),
    [
        (
            came("command"),
            Answer(SAID),
            "chat_postEphemeral",
            {"channel": "C1", "user": "U1", "thread_ts": None},
        ),
        (
            came("message", ts="2.0", thread="1.0"),
            Answer(SAID),
            "chat_postEphemeral",
            {"channel": "C1", "user": "U1", "thread_ts": "1.0"},
        ),
        (
            came("message", ts="2.0"),
            Answer(SAID, public=True),
            "chat_postMessage",
            {"channel": "C1", "thread_ts": "2.0"},
        ),
        (came("action", ts="2.0"), Answer(SAID, replace=True), "chat_update", {"channel": "C1", "ts": "2.0"}),
        (
            came("message", channel="D1", ts="2.0", is_dm=True),
            Answer(SAID),
            "chat_postMessage",
            {"channel": "D1", "thread_ts": None},
        ),
        (came("submission", channel=""), Answer(SAID), "chat_postMessage", {"channel": "U1"}),
    ],
)
async def test_an_answer_comes_to_where_the_wish_was(
    to: Incoming, answer: Answer, method: str, where: dict[str, Any]
) -> None:
    ((called, arguments),) = await given_to(to, answer)
    assert called == method
    assert {name: arguments.get(name) for name in where} == where
    if method == "chat_postMessage":
        assert (arguments["unfurl_links"], arguments["unfurl_media"]) == (False, False)


async def test_a_question_without_an_address_stays_and_its_answer_is_said_all_the_same() -> None:
    slack = PlayedSlack()
    to = came("action", ts="2.0")
    await reply.settle(cast(House, SimpleNamespace(client=slack)), to, Answer(SAID, settled=True))
    assert [name for name, _ in slack.calls] == ["chat_postEphemeral"]


async def test_nothing_to_say_is_not_said() -> None:
    assert await given_to(came("command"), None) == []

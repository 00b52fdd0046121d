"""One growing answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError

from handlers import streaming
from handlers.streaming import PART_BYTES, AnswerWriter, Place, StoppedByPerson, open_fence, split
from tests.support.payloads import hold

FOOT = [{"type": "context", "elements": [{"type": "mrkdwn", "text": "triage-7"}]}]


class Response(dict):
    def __init__(self, status=200, headers=None, **data):
        super().__init__(**data)
        self.status_code = status
        self.headers = headers or {}


class Client:
    """Keeps messages as Slack would; ``errors`` are answered by the next calls of a method."""

    def __init__(self, **errors):
        self.errors = errors
        self.log = []
        self.shown = {}

    def _take(self, method, args):
        hold(method, args)
        self.log.append(method)
        for error in self.errors.get(method, [])[:1]:
            self.errors[method].pop(0)
            if isinstance(error, Exception):
                raise error
            if error:
                raise SlackApiError("no", error)

    async def chat_startStream(self, **args):
        self._take("start", args)
        ts = f"{len(self.shown) + 1}.0"
        self.shown[ts] = args.get("markdown_text") or ""
        return {"ts": ts}

    async def chat_appendStream(self, *, ts, markdown_text, **args):
        self._take("append", args)
        self.shown[ts] += markdown_text

    async def chat_stopStream(self, **args):
        self._take("stop", args)

    async def chat_postMessage(self, *, blocks, **args):
        self._take("post", {**args, "blocks": blocks})
        ts = f"{len(self.shown) + 1}.0"
        self.shown[ts] = blocks[0]["text"]
        return {"ts": ts}

    async def chat_update(self, *, ts, blocks, text, **args):
        self._take("update", {**args, "blocks": blocks, "text": text})
        assert len(text) <= 4000
        self.shown[ts] = blocks[0]["text"]


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def writer(client, clock=None, is_dm=False):
    return AnswerWriter(client, Place("C1", "1.1", "U1", "T1", is_dm), clock or Clock())


async def tell(client, *pieces, pause=2.0):
    """Writes an answer whose pieces come with a pause between them; gives the message it began in."""
    clock = Clock()
    out = writer(client, clock)
    for piece in pieces:
        await out.add(piece)
        clock.now += pause
    return await out.finish(FOOT)


def error(code, status=200, **headers):
    return Response(status, headers, error=code)


@pytest.fixture
def slept(monkeypatch):
    """What was waited for, in seconds; nothing waits really."""
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr(streaming.asyncio, "sleep", sleep)
    return waits


async def test_pieces_are_sent_at_most_once_a_second():
    client = Client()
    await tell(client, *"abcdef", pause=0.4)
    assert client.shown == {"1.0": "abcdef"}
    assert client.log == ["start", "append", "append", "stop"]


@pytest.mark.parametrize("code", ["feature_disabled", "channel_type_not_supported", "unknown_method"])
async def test_where_streaming_is_refused_one_message_is_edited(code):
    client = Client(start=[error(code)])
    assert await tell(client, "one ", "two ", "three", pause=1.1) == "1.0"
    assert client.shown == {"1.0": "one two three"}
    assert client.log == ["start", "post", "update", "update", "update"]


async def test_too_many_streams_at_once_fall_back_too():
    client = Client(start=[error("ratelimited", 429)])
    await tell(client, "hello")
    assert client.shown == {"1.0": "hello"}


async def test_a_stream_that_slack_closed_is_rescued_by_an_edit():
    client = Client(append=[error("message_not_in_streaming_state")])
    await tell(client, "one ", "two")
    assert client.shown == {"1.0": "one two"}


async def test_a_stream_that_ended_before_its_stop_still_gets_its_footer():
    client = Client(stop=[error("message_not_in_streaming_state")])
    await tell(client, "done")
    assert client.log == ["start", "stop", "update"]
    assert client.shown == {"1.0": "done"}


async def test_a_limited_piece_comes_with_the_next():
    client, clock = Client(append=[error("ratelimited", 429, **{"Retry-After": "5"})]), Clock()
    out = writer(client, clock)
    await out.add("a")
    for piece in "bcd":
        clock.now += 2
        await out.add(piece)
    clock.now += 5
    await out.finish(FOOT)
    assert client.shown == {"1.0": "abcd"}


async def test_the_end_waits_as_long_as_slack_asks(slept):
    client = Client(
        append=[error("ratelimited", 429, **{"Retry-After": "3"})],
        stop=[error("ratelimited", 429, **{"Retry-After": "7"})],
    )
    await tell(client, "a", "b", pause=0)
    assert (client.shown, slept) == ({"1.0": "ab"}, [3.0, 7.0])


async def test_a_long_answer_goes_on_in_a_second_message():
    client, clock = Client(), Clock()
    out = writer(client, clock)
    text = "".join(f"row {i} ü\n" for i in range(2_500))
    for at in range(0, len(text), 700):
        await out.add(text[at : at + 700])
        clock.now += 1
    assert await out.finish(FOOT) == "1.0"
    assert "".join(client.shown.values()) == text
    assert all(len(part.encode()) <= PART_BYTES for part in client.shown.values())
    assert client.log.count("stop") == len(client.shown) > 2


async def test_a_slow_answer_moves_on_before_slack_closes_its_stream():
    client = Client()
    await tell(client, "a", "b", pause=250)
    assert client.shown == {"1.0": "a", "2.0": "b"}


@given(st.text(), st.integers(0, 50))
def test_nothing_is_lost_where_a_text_is_cut(text, room):
    head, rest = split(text, room)
    assert head + rest == text
    assert len(head.encode()) <= max(room, len(text.encode()) if not rest else room)


async def test_a_stream_that_takes_no_more_is_ended_before_its_message_is_edited():
    client = Client(append=[error("msg_too_long")])
    await tell(client, "one ", "two")
    assert client.log == ["start", "append", "stop", "update", "update"]
    assert client.shown == {"1.0": "one two"}


async def test_a_stream_that_died_while_the_model_was_silent_is_rescued():
    client = Client(stop=[error("message_not_in_streaming_state")])
    await tell(client, "one ", "two", pause=400)
    assert client.shown == {"1.0": "one ", "2.0": "two"}


async def test_what_somebody_stopped_in_slack_grows_no_further_and_still_gets_its_footer():
    stopped = error("stopped_by_user")
    client, clock = Client(append=[stopped], stop=[stopped]), Clock()
    out = writer(client, clock)
    await out.add("one ")
    clock.now += 2
    with pytest.raises(StoppedByPerson):
        await out.add("two")
    assert await out.finish(FOOT) == "1.0"
    assert client.shown == {"1.0": "one "}
    assert client.log[-1] == "update"


@pytest.mark.parametrize("trouble", [error("internal_error", 500), TimeoutError()])
async def test_an_edit_that_got_lost_is_made_good_by_the_next(slept, trouble):
    client = Client(start=[error("feature_disabled")], update=[trouble])
    await tell(client, "one ", "two ", "three", pause=1.1)
    assert client.shown == {"1.0": "one two three"}


async def test_a_connection_lost_in_a_stream_shows_every_piece_once():
    client = Client(append=[TimeoutError()])
    await tell(client, "one ", "two")
    assert client.shown == {"1.0": "one two"}


async def test_a_footer_that_was_limited_comes_all_the_same(slept):
    client = Client(
        start=[error("feature_disabled")], update=[error("ratelimited", 429, **{"Retry-After": "4"})]
    )
    await tell(client, "hello")
    assert (client.log, slept) == (["start", "post", "update", "update"], [4.0])


async def test_a_box_of_code_goes_on_as_a_box_in_the_next_message():
    client = Client()
    await tell(client, "Look:\n```python\n" + "x = 1\n" * 2_000 + "```\ndone")
    first, second = client.shown.values()
    assert second.startswith("```python\nx = 1\n")
    assert second.endswith("```\ndone")
    assert (first.count("x = 1"), second.count("x = 1")) != (2_000, 0)
    assert first.count("x = 1") + second.count("x = 1") == 2_000


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("no code", ""),
        ("```\na\n```", ""),
        ("a\n```json\n{", "```json\n"),
        ("```\na\n```\n```sql\nx", "```sql\n"),
    ],
)
def test_an_open_box_is_known_by_its_first_line(text, opening):
    assert open_fence(text) == opening

"""Reading Slack's payloads."""

from __future__ import annotations

import pytest

from handlers.incoming import (
    Incoming,
    drop_id,
    dropped,
    parts_of,
    read_action,
    read_command,
    read_message,
    read_submission,
    readable,
    takes,
    words_of,
)

BOT = "U0BOT"


def message(**changes):
    event = {"type": "message", "user": "U1", "channel": "C1", "ts": "1.1", "text": "hello"}
    return {**event, **changes}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("<@U0BOT> help", "help"),
        ("<@U0BOT|ftbot> ask <@U2|mina> about <#C1|tuning>", "ask @mina about #tuning"),
        ("who is <@U2>?", "who is @U2?"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("see <https://a.example/x|the page>", "see the page (https://a.example/x)"),
        ("open <http://triage.io|triage.io>", "open triage.io"),
        ("<https://a.example>", "https://a.example"),
    ],
)
def test_markup_is_turned_into_what_a_person_reads(typed, read):
    assert readable(typed, BOT) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ask what is up", ("ask", "what is up")),
        ("ask\nfirst\nsecond", ("ask", "first\nsecond")),
        ("jobs", ("jobs", "")),
        ("  ", ("", "")),
    ],
)
def test_the_first_word_is_the_verb(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    "event",
    [
        message(bot_id="B1"),
        message(user=BOT),
        message(subtype="message_changed"),
        message(subtype="message_deleted"),
        message(subtype="channel_join"),
        message(hidden=True),
        message(user=None),
    ],
)
def test_bots_ourselves_and_slacks_own_notes_are_not_read(event):
    assert read_message(event, BOT) is None


def test_a_reply_knows_its_thread_and_whom_it_names():
    said = read_message(message(thread_ts="0.9", text="<@U0BOT> and <@U2> look"), BOT)
    assert said is not None
    assert (said.root, said.mentioned, said.names_others) == ("0.9", True, True)
    alone = read_message(message(thread_ts="1.1", text="<!here> look"), BOT)
    assert alone is not None
    assert (alone.thread, alone.root, alone.names_others) == (None, "1.1", True)


@pytest.mark.parametrize(
    ("name", "in_channel", "asked"),
    [
        ("triage.jsonl", True, True),
        ("TRIAGE.NDJSON", True, True),
        ("rows.csv", False, True),
        ("rows.parquet", False, True),
        ("shot.png", False, False),
        ("jsonl", False, False),
    ],
)
def test_only_data_files_wake_the_bot(name, in_channel, asked):
    assert takes(name, asked=False) is in_channel
    assert takes(name, asked=True) is asked


def test_a_stub_from_another_organisation_is_looked_up_later():
    stub = {"id": "F1", "file_access": "check_file_info", "mode": "file_access"}
    said = read_message(message(subtype="file_share", files=[stub, {"id": "F2", "name": "a.png"}]), BOT)
    assert said is not None
    assert dropped(said) == [{"id": "F1", "name": ""}]


def test_what_lies_in_the_inbox_comes_back_the_same():
    said = read_message(message(files=[{"id": "F2", "name": "a.jsonl", "url_private": "secret"}]), BOT)
    assert said is not None
    assert Incoming.of(said.payload()) == said
    assert "secret" not in str(said.payload())


def test_a_drop_id_can_be_taken_apart():
    assert parts_of(drop_id("C1", "1.2", "F3")) == ("C1", "1.2", "F3")


def test_a_slash_command_in_a_direct_message_is_known_as_such():
    said = read_command(
        {"channel_id": "D1", "user_id": "U1", "text": "start", "response_url": "http://x", "trigger_id": "t"}
    )
    assert (said.is_dm, said.response_url, said.text) == (True, "http://x", "start")


def test_a_click_carries_its_value_and_place():
    body = {
        "user": {"id": "U1"},
        "channel": {"id": "C1"},
        "message": {"ts": "2.2", "thread_ts": "1.1"},
        "trigger_id": "t",
        "actions": [{"action_id": "menu", "selected_option": {"value": "7"}}],
    }
    said = read_action(body)
    assert said is not None
    assert (said.action, said.value, said.ts, said.thread) == ("menu", "7", "2.2", "1.1")


def test_link_buttons_and_empty_clicks_are_nothing():
    assert read_action({"actions": [{"action_id": "a", "url": "https://x"}]}) is None
    assert read_action({}) is None


@pytest.mark.parametrize(
    ("kept", "channel"), [('{"channel": "C1"}', "C1"), ("no json", ""), ("[]", ""), (None, "")]
)
def test_a_form_belongs_to_the_channel_it_was_opened_in(kept, channel):
    said = read_submission({"user": {"id": "U1"}, "view": {"id": "V1", "private_metadata": kept}})
    assert said.channel == channel

"""What stands under an answer, and calls of tools as people read them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.text import harmless_markdown
from handlers.views.chat import Foot, footer, question, tool_call
from localslack.blocks import check_blocks
from storage.chat_records import ChatThread, Model
from tests.support.samples import NOW

THREAD = ChatThread("C1", "1.1", "openai", "ft:x", "triage-7", "U1", NOW)
LIVE = re.compile(r"<[@#!]|<https?:|\]\(")


def lines(thread: ChatThread, foot: Foot) -> list[str]:
    """The small grey lines, people by their id."""
    blocks = footer(thread, foot)
    assert check_blocks(blocks, "message") is None
    assert [b["type"] for b in blocks] == ["context"] * (len(blocks) - 1) + ["context_actions"]
    return [e["text"] for b in blocks[:-1] for e in b["elements"]]


def test_nothing_more_than_model_and_seconds_stands_there_while_all_is_normal() -> None:
    assert lines(THREAD, Foot(seconds=1.24)) == ["triage-7 · 1.2 s"]


@pytest.mark.parametrize(
    ("foot", "said"),
    [
        (Foot(1.2, "length", 4096), "triage-7 · 1.2 s · cut at 4,096 tokens"),
        (Foot(1.2, "length"), "triage-7 · 1.2 s · cut at its longest"),
        (Foot(stopped_by="Mina"), "triage-7 · stopped by Mina"),
        (Foot(broken=True), "triage-7 · not finished"),
        (Foot(1.2, "content_filter"), "triage-7 · 1.2 s · stopped by the provider's filter"),
        (Foot(1.2, "tool_calls"), "triage-7 · 1.2 s · asks for a tool; I show the call and run nothing"),
    ],
)
def test_what_is_not_normal_is_said(foot: Foot, said: str) -> None:
    assert lines(THREAD, foot) == [said]


def test_a_checkpoint_says_that_it_is_not_the_final_model() -> None:
    said = lines(replace(THREAD, label="triage-7@2"), Foot(1.2, checkpoint=(2, 3)))
    assert said == ["triage-7, checkpoint 2 of 3, not the final model · 1.2 s"]


@pytest.mark.parametrize(
    ("days", "said"), [(9, "in 9 days (14 Jan)"), (1, "tomorrow (14 Jan)"), (0, "today (14 Jan)")]
)
def test_the_last_days_of_a_model_are_counted(days: int, said: str) -> None:
    assert lines(THREAD, Foot(ends=("2027-01-14", days)))[1] == f"triage-7 stops answering {said}"


def test_a_channel_that_moved_on_is_named_and_the_thread_stays() -> None:
    assert lines(THREAD, Foot(moved_to="triage-8"))[1] == (
        "<#C1> moved to triage-8; this thread stays with triage-7"
    )
    there = replace(THREAD, channel="D1")
    assert lines(there, Foot(moved_to="triage-8"))[1].startswith("Your choice here moved to triage-8")


def test_the_first_answer_says_how_the_thread_works() -> None:
    assert lines(THREAD, Foot(first=True, bot="U0BOT"))[1] == (
        "I answer messages here that name nobody else; “<@U0BOT> stop” ends it. "
        "This thread stays with triage-7."
    )


def test_a_call_of_a_tool_is_shown_with_its_arguments_in_lines() -> None:
    assert tool_call("lookup_order", '{"id": 7}') == (
        '\n\n🔧 Wants to call `lookup_order` with\n```json\n{\n  "id": 7\n}\n```\n'
    )


@given(st.text(max_size=60), st.text() | st.dictionaries(st.text(), st.text()).map(json.dumps))
def test_a_call_of_a_tool_can_neither_ping_nor_leave_its_box(called: str, arguments: str) -> None:
    shown = tool_call(called, arguments)
    assert not LIVE.search(shown.partition("```json")[0] + harmless_markdown(""))
    inside = shown.partition("```json\n")[2].removesuffix("\n```\n")
    assert "`" not in inside
    assert "<" not in inside


def test_arguments_stay_valid_json_where_they_are() -> None:
    shown = tool_call("x", json.dumps({"a": "``` <!channel>"}))
    inside = shown.partition("```json\n")[2].removesuffix("\n```\n")
    assert json.loads(inside) == {"a": "``` <!channel>"}


@given(st.text(max_size=90), st.text(max_size=90), st.text(max_size=90))
def test_no_name_under_an_answer_or_in_a_question_can_act(label: str, other: str, asked: str) -> None:
    foot = Foot(1.0, stopped_by=other, moved_to=other, first=True, ends=("2027-01-14", 3))
    blocks = footer(replace(THREAD, label=label), foot)
    said = question("U1", asked, Model("p", "m", label))
    assert check_blocks(blocks, "message") is None
    assert check_blocks(said.blocks, "message") is None
    small = [element for block in blocks if block["type"] == "context" for element in block["elements"]]
    parsed = [element["text"] for element in small if element["type"] == "mrkdwn"]
    for text in (*parsed, said.text):
        assert not LIVE.search(text.replace("<#C1>", ""))

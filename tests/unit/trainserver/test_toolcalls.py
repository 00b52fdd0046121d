"""Tool calls in the text of an answer."""

from __future__ import annotations

import json

import pytest

from trainserver.toolcalls import parse


def _said(**call: object) -> str:
    return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"


def test_calls_are_told_as_openai_tells_them():
    content, calls = parse(_said(name="look", arguments={"city": "서울"}))
    assert content is None
    assert calls[0]["type"] == "function"
    assert calls[0]["id"].startswith("call_")
    assert calls[0]["function"] == {"name": "look", "arguments": '{"city": "서울"}'}


def test_words_stay_beside_several_calls():
    content, calls = parse(
        f"One moment.\n{_said(name='a', arguments={})}\n{_said(name='b', arguments={'x': 1})}"
    )
    assert content == "One moment."
    assert [call["function"]["name"] for call in calls] == ["a", "b"]
    assert len({call["id"] for call in calls}) == 2


def test_a_call_cut_off_after_its_object_counts():
    assert parse('<tool_call>{"name": "a", "arguments": {}}')[1]


@pytest.mark.parametrize(
    "text",
    [
        "no call",
        "",
        "<tool_call>\n{oops\n</tool_call>",
        _said(arguments={}),
        _said(name="a", arguments="x"),
        "<tool_call>[1]</tool_call>",
    ],
)
def test_what_is_no_call_stays_text(text: str):
    assert parse(text) == (text, [])

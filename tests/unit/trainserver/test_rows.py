"""Reading rows of a training file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trainserver.errors import JobFailed
from trainserver.rows import BadMessage, read_message, read_rows


def _call(arguments: str) -> dict[str, Any]:
    return {"id": "a", "type": "function", "function": {"name": "look", "arguments": arguments}}


CALLING = {"role": "assistant", "content": None, "tool_calls": [_call('{"where": "up"}')]}
ROW = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


def _write(path: Path, *rows: Any) -> Path:
    path.write_text(
        "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8"
    )
    return path


def test_blank_lines_and_a_byte_order_mark_do_no_harm_and_lines_count_on(tmp_path: Path):
    path = _write(tmp_path / "a.jsonl", "\ufeff" + json.dumps(ROW), "", ROW)
    rows = read_rows(path, "training_file", at_least=2)
    assert [row.line for row in rows] == [1, 3]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("not json", "invalid JSON"),
        ("[]", "one JSON object"),
        ({}, "missing key 'messages'"),
        ({"messages": "x"}, "missing key 'messages'"),
        ({"messages": [{"content": "x"}]}, "'role' is missing"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "role 'robot'"),
        ({"messages": [{"role": "assistant", "content": None}]}, "'content' must be text"),
        ({"messages": [{"role": "assistant", "content": "x", "weight": 2}]}, "weight must be 0 or 1"),
        ({"messages": [{"role": "assistant", "content": "x", "weight": 0}]}, "no assistant message"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "text parts only"),
        ({**ROW, "tools": [{}]}, "a tool of type None"),
        ({**ROW, "tools": [{"type": "function", "function": {}}]}, "needs the 'name'"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "'function' of a tool call"),
        ({"messages": [CALLING, {"role": "tool", "content": "x"}]}, "needs 'tool_call_id'"),
        ({"messages": [CALLING, {"role": "tool", "tool_call_id": "b", "content": "x"}]}, "answers no call"),
        ({"messages": [{"role": "assistant", "tool_calls": [_call("{oops")]}]}, "are no JSON"),
        ({"messages": [{"role": "assistant", "tool_calls": [_call("[1]")]}]}, "must be a JSON object"),
    ],
)
def test_a_row_of_no_use_is_named_with_its_line(tmp_path: Path, row: Any, reason: str):
    with pytest.raises(JobFailed) as caught:
        read_rows(_write(tmp_path / "a.jsonl", ROW, row), "training_file", at_least=1)
    assert "line 2" in caught.value.message
    assert reason in caught.value.message
    assert caught.value.code == "invalid_training_file"


def test_many_bad_lines_are_counted(tmp_path: Path):
    with pytest.raises(JobFailed, match=r"line 5.*and 3 more lines"):
        read_rows(_write(tmp_path / "a.jsonl", *["x"] * 8), "validation_file")


def test_weight_nothing_and_one_are_trained_and_zero_is_not():
    weights = [None, 1, 0]
    trained = [read_message({"role": "assistant", "content": "x", "weight": one}).trained for one in weights]
    assert trained == [True, True, False]


def test_text_parts_are_joined_and_developer_speaks_as_system():
    message = read_message({"role": "developer", "content": [{"type": "text", "text": "a"}, {"text": "b"}]})
    assert (message.role, message.content) == ("system", "ab")


def test_a_message_must_be_an_object():
    with pytest.raises(BadMessage):
        read_message("hello")


def _preference(**other: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "input": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        "preferred_output": [{"role": "assistant", "content": "good"}],
        "non_preferred_output": [{"role": "assistant", "content": "bad"}],
    }
    return {**row, **other}


def test_a_preference_learns_from_its_two_answers_alone(tmp_path: Path):
    (row,) = read_rows(_write(tmp_path / "a.jsonl", _preference()), "training_file", method="dpo", at_least=1)
    assert [message.content for message in row.messages] == ["a", "b", "good"]
    assert row.rejected is not None
    assert [message.content for message in row.rejected] == ["a", "b", "bad"]
    assert [message.trained for message in row.messages] == [False, False, True]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW, "missing key 'input'"),
        (_preference(input={}), "missing key 'messages'"),
        (_preference(preferred_output=None), "missing key 'preferred_output'"),
        (_preference(non_preferred_output=[{"role": "user", "content": "x"}]), "no assistant message"),
        (_preference(non_preferred_output=[{"role": "assistant", "content": "good"}]), "are the same"),
    ],
)
def test_a_preference_of_no_use_is_named_with_its_line(tmp_path: Path, row: Any, reason: str):
    with pytest.raises(JobFailed, match=reason):
        read_rows(_write(tmp_path / "a.jsonl", row), "training_file", method="dpo", at_least=1)


def test_old_functions_are_tools(tmp_path: Path):
    old = {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "function_call": {"name": "look", "arguments": "{}"}},
            {"role": "function", "name": "look", "content": "b"},
            {"role": "assistant", "content": "c"},
        ],
        "functions": [{"name": "look", "parameters": {}}],
    }
    (row,) = read_rows(_write(tmp_path / "a.jsonl", old), "training_file", at_least=1)
    assert row.tools == ({"type": "function", "function": {"name": "look", "parameters": {}}},)
    assert row.messages[1].calls[0].name == "look"
    assert row.messages[2].role == "tool"

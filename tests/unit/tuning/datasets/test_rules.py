"""Every rule: what breaks it is found on its own line, with its severity, and stops nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import RULES, BaseInfo, Limits, Report, base_info, check_file

USER = {"role": "user", "content": "Where is my parcel?"}
REPLY = {"role": "assistant", "content": "shipping"}
TOOL = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}},
}


def call(call_id: str = "c1", name: str = "look_up", arguments: Any = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(*made: Any) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": list(made)}


def answer(call_id: str = "c1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "on its way"}


def row(*messages: Any, **more: Any) -> bytes:
    return json.dumps({"messages": list(messages), **more}).encode()


def tool_row(*messages: Any) -> bytes:
    return row(USER, *messages, tools=[TOOL])


def image(url: Any, **more: Any) -> dict[str, Any]:
    part = {"type": "image_url", "image_url": {"url": url, **more}}
    return {"role": "user", "content": [{"type": "text", "text": "What is this?"}, part]}


LINES: dict[str, bytes] = {
    "blank_lines": b"  ",
    "invalid_json": b'{"messages": [],}',
    "invalid_utf8": b'{"messages": "\xe9t\xe9"}',
    "nul_byte": b'{"messages": "\x00"}',
    "nan_or_infinity": b'{"messages": NaN}',
    "lone_surrogate": b'{"messages": "\\ud83d"}',
    "huge_number": b'{"messages": 1e999}',
    "python_dict": b"{'messages': []}",
    "several_objects": b'{"messages": []} {"messages": []}',
    "comment_line": b"// the shipping rows follow",
    "too_deep": b'{"messages": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "row_too_large": b"[" + b'{"role":"user"},' * 600_000 + b"0]",
    "row_not_object": b"[1, 2]",
    "duplicate_key": row(USER, REPLY).replace(b'"content": "shipping"', b'"content": "a", "content": "b"'),
    "nul_character": row(USER, {**REPLY, "content": "a\0b"}),
    "unicode_line_separator": row(USER, {**REPLY, "content": "a\u2028b"}),
    "legacy_format": b'{"prompt": "a", "completion": "b"}',
    "sharegpt_format": b'{"conversations": [{"from": "human", "value": "a"}]}',
    "alpaca_format": b'{"instruction": "a", "input": "", "output": "b"}',
    "trl_preference_format": b'{"prompt": "a", "chosen": "b", "rejected": "c"}',
    "batch_api_format": b'{"custom_id": "1", "method": "POST", "url": "/v1/x", "body": {}}',
    "gemini_format": b'{"contents": [{"role": "user", "parts": []}]}',
    "text_format": b'{"text": "a"}',
    "mixed_formats": b'{"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}',
    "missing_messages": b'{"chat": []}',
    "messages_not_list": b'{"messages": "hello"}',
    "empty_messages": b'{"messages": []}',
    "message_not_object": row("hello", REPLY),
    "unknown_key": row(USER, REPLY, label="x"),
    "unknown_message_key": row({**USER, "mood": "angry"}, REPLY),
    "missing_role": row({"content": "hello"}, REPLY),
    "invalid_role": row({**USER, "role": "human"}, REPLY),
    "missing_content": row({"role": "user"}, REPLY),
    "invalid_content": row({"role": "user", "content": 7}, REPLY),
    "unknown_content_part": row({"role": "user", "content": [{"type": "audio"}]}, REPLY),
    "invalid_name": row({**USER, "name": 7}, REPLY),
    "no_assistant_message": row(USER),
    "invalid_weight": row(USER, {**REPLY, "weight": 0.5}),
    "last_assistant_weight_zero": row(USER, {**REPLY, "weight": 0}),
    "control_token": row(USER, {**REPLY, "content": "bye <|endoftext|>"}),
    "template_token": row(USER, {**REPLY, "content": "bye <|im_end|>"}),
    "empty_content": row({**USER, "content": ""}, REPLY),
    "last_not_assistant": row(USER, REPLY, USER),
    "no_user_message": row({"role": "system", "content": "Hi"}, REPLY),
    "developer_role": row({"role": "developer", "content": "Be brief"}, USER, REPLY),
    "invalid_tools": row(USER, REPLY, tools=[{"name": "look_up"}]),
    "invalid_tool_schema": row(
        USER, REPLY, tools=[{"type": "function", "function": {"name": "a", "parameters": {"type": "strnig"}}}]
    ),
    "too_many_tools": row(
        USER, REPLY, tools=[{"type": "function", "function": {"name": f"t{n}"}} for n in range(129)]
    ),
    "duplicate_tool": row(USER, REPLY, tools=[TOOL, TOOL]),
    "undefined_tool": tool_row(calls(call(name="lookup_order")), answer(), REPLY),
    "invalid_tool_call": tool_row(calls("look_up"), REPLY),
    "tool_arguments_not_json": tool_row(calls(call(arguments="{order: 1}")), answer(), REPLY),
    "duplicate_tool_call_id": tool_row(calls(call(), call()), answer(), REPLY),
    "missing_tool_call_id": tool_row(calls(call()), answer(), {"role": "tool", "content": "x"}, REPLY),
    "unpaired_tool_message": tool_row(calls(call()), answer(), answer("c9"), REPLY),
    "unanswered_tool_call": tool_row(calls(call()), REPLY),
    "invalid_parallel_tool_calls": row(USER, REPLY, parallel_tool_calls="yes"),
    "legacy_functions": row(USER, REPLY, functions=[{"name": "look_up"}]),
    "image_not_from_user": row(USER, {**image("https://a.example/x.png"), "role": "assistant"}),
    "too_many_images": row(
        {"role": "user", "content": [image("https://a.example/x.png")["content"][1]] * 11}, REPLY
    ),
    "invalid_image_url": row(image("data/1.jpg"), REPLY),
    "image_too_large": row(image("data:image/png;base64,iVBORw0KGgo" + "A" * 13_400_000), REPLY),
    "unsupported_image_type": row(image("https://a.example/x.gif"), REPLY),
    "parallel_calls": row(
        USER,
        calls(call(), call("c2")),
        answer(),
        answer("c2"),
        REPLY,
        tools=[TOOL],
        parallel_tool_calls=False,
    ),
    "invalid_image_detail": row(image("https://a.example/x.png", detail="huge"), REPLY),
}
"""Code to one line that breaks that rule in a supervised file."""

PAIR = {
    "input": {"messages": [USER]},
    "preferred_output": [REPLY],
    "non_preferred_output": [{**REPLY, "content": "x"}],
}


def pair(**changed: Any) -> bytes:
    return json.dumps({k: v for k, v in {**PAIR, **changed}.items() if v is not None}).encode()


OTHER_METHODS: dict[str, tuple[bytes, bytes, dict[str, Any]]] = {
    "missing_input": (pair(), pair(input=None), {}),
    "invalid_output": (pair(), pair(preferred_output=[USER]), {}),
    "image_in_preference": (pair(), pair(input={"messages": [image("https://a.example/x.png")]}), {}),
    "same_outputs": (pair(), pair(non_preferred_output=[REPLY]), {}),
    "input_ends_with_assistant": (pair(), pair(input={"messages": [USER, REPLY]}), {}),
    "last_not_user": (row(USER, answer="7"), row(USER, REPLY, answer="7"), {}),
    "method_mismatch": (pair(), row(USER, REPLY), {"method": "dpo"}),
    "invalid_pair": (
        b'{"prompt": "a", "completion": "b"}',
        b'{"prompt": "a", "completion": 7}',
        {"base": BaseInfo("babbage-002", "cl100k_base", None, None, None)},
    ),
}

FILES: dict[str, bytes] = {
    "empty_file": b"",
    "no_rows": b"\n \n\n",
    "html_page": b"<!DOCTYPE html><html><title>Sign in</title></html>",
    "xml_file": b'<?xml version="1.0"?><rows/>',
    "json_array": b'[\n{"messages": []},\n{"messages": []}\n]\n',
    "pretty_printed": b'{\n  "messages": [\n  ]\n}\n{\n  "messages": []\n}\n',
    "csv_file": b"prompt,completion\nhello,hi\nbye,see you\n",
    "plain_text": b"Once upon a time there was a parcel.\nIt was late.\n",
    "utf16": '{"messages": []}\n'.encode("utf-16"),
    "utf32": '{"messages": []}\n'.encode("utf-32"),
    "gzip_file": b"\x1f\x8b\x08\x00abc",
    "zip_file": b"PK\x03\x04abc",
    "parquet_file": b"PAR1abc",
    "binary_file": b"%PDF-1.7\n",
}

COVERED_ELSEWHERE = {
    "secret", "payment_card", "national_id", "email", "phone", "ip_address", "near_duplicates",
    "conflicting_answers", "short_answer", "missing_system_prompt", "validation_near_overlap",
    "too_few_examples", "too_many_examples", "too_many_pictured", "few_examples", "file_too_large",
    "bom", "crlf", "cr_line_endings",
    "duplicate_examples", "validation_overlap", "over_token_limit", "validation_columns",
    "pictures_not_taken",
}  # fmt: skip


def test_every_rule_has_a_test() -> None:
    assert LINES.keys() | OTHER_METHODS.keys() | FILES.keys() | COVERED_ELSEWHERE == RULES.keys()


def found(report: Report) -> dict[str, tuple[int, ...]]:
    return {problem.code: problem.lines for problem in report.problems}


@pytest.mark.parametrize("code", LINES)
def test_a_line_that_breaks_a_rule_is_named(code: str, good: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*good[:30], LINES[code], *good[30:]]) + b"\n")
    report = check_file(path)
    follows = (
        {"no_user_message": (31,)} if code in ("missing_role", "invalid_role", "message_not_object") else {}
    )
    assert found(report) == {code: (31,), **follows}
    assert report.verdict == ("reject" if RULES[code].severity == "error" else "accept")
    assert report.bad_rows == (RULES[code].severity == "error")


@pytest.mark.parametrize("code", OTHER_METHODS)
def test_rules_of_the_other_methods(code: str, tmp_path: Path) -> None:
    fine, broken, options = OTHER_METHODS[code]
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([fine] * 12 + [broken]))
    report = check_file(path, **options)
    assert found(report).keys() == {code, "duplicate_examples"}
    assert found(report)[code] == (13,)


@pytest.mark.parametrize("code", FILES)
def test_a_file_that_is_something_else_is_named_once(code: str, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(FILES[code])
    report = check_file(path)
    assert found(report) == {code: ()}
    assert report.verdict == "reject"
    assert report.examples == 0


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_every_rule_speaks_plainly_and_names_its_source(rule: Any) -> None:
    for count in (1, 1_200):
        message = rule.message(count, "detail", 7)
        assert "{" not in message.split("`")[0]
        assert "|" not in message.split("`")[0]
        assert len(message) < 200
    assert rule.fix
    assert rule.source


@pytest.mark.parametrize(
    "code",
    [
        "bom", "crlf", "cr_line_endings", "blank_lines", "nul_character", "template_token", "empty_content",
        "last_not_assistant", "developer_role", "input_ends_with_assistant",
    ],
)  # fmt: skip
def test_where_documents_are_silent_or_disagree_a_warning_says_so(code: str) -> None:
    assert RULES[code].severity == "warning"
    assert re.search("silent|no document|guide (names|does not)|allows it, .* refuses it", RULES[code].fix)


@pytest.mark.parametrize("code", FILES)
def test_a_file_that_is_something_else_also_as_one_line(code: str, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(FILES[code].rstrip(b"\n"))
    assert check_file(path).verdict == "reject"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"messages": [],}', "comma before `}`"),
        (b'{"messages": []},', "a comma follows after the end of the JSON value"),
        (b'{"messages": True}', "Python's True; JSON writes true"),
        ("{“messages”: []}".encode(), "a curly quote “ where JSON wants"),
        (b'{"messages": "a\tb"}', "a raw tab or line break inside a text"),
        (b'{"messages": "it is', "a text is not closed; the line may be cut off"),
        (b'{"messages": [', "the line ends in the middle"),
        (b'{"messages": "a\\x"}', "a backslash that starts no known escape"),
        (b'{"messages": "say "hi""}', "a quote inside a text"),
        (b"Dear team, see below.", "plain text, not JSON"),
        ('{"messages": "it’s"}'.encode("cp1252"), "byte 0x92 at position 17, perhaps Windows-1252"),
    ],
)
def test_json_errors_are_told_in_plain_words(
    line: bytes, words: str, good: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*good, line]))
    [problem] = check_file(path).problems
    assert words in problem.message
    assert problem.lines == (61,)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", "unsupported_image_type"),
        ("data:image/png;base64,R0lGODlhAQABAAAAACw=", "unsupported_image_type"),
        ("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAE=", None),
        ("https://a.example/x.webp?size=2", None),
        ("http://a.example/x.png", "invalid_image_url"),
    ],
)
def test_pictures_by_type(url: str, code: str | None, good: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*good, row(image(url), REPLY)]))
    assert list(found(check_file(path))) == ([code] if code else [])


def test_control_tokens_in_the_arguments_of_a_call_are_found(good: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    made = call(arguments='{"q": "<|endoftext|>"}')
    path.write_bytes(b"\n".join([*good, tool_row(calls(made), answer(), REPLY)]))
    assert found(check_file(path)) == {"control_token": (61,)}


def test_reinforcement_takes_a_thousand_rows_to_validate(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(row({**USER, "content": f"{n}?"}, answer="7") for n in range(1_001)))
    assert found(check_file(path, validation=True)) == {"too_many_examples": ()}
    assert found(check_file(path)) == {}


def test_a_comma_after_every_row_is_told_row_by_row(good: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b",\n".join(good))
    [problem] = [p for p in check_file(path).problems if p.severity == "error"]
    assert (problem.code, problem.count) == ("invalid_json", 59)


def test_null_tools_are_no_tools(good: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*good, row(USER, REPLY, tools=None, parallel_tool_calls=None)]))
    assert check_file(path).problems == ()


def test_fifty_thousand_rows_may_have_pictures_and_not_one_more(
    tmp_path: Path,
) -> None:
    base = replace(base_info("gpt-4.1"), limits=Limits("Vision Ltd", max_pictured=60))
    path = tmp_path / "data.jsonl"
    rows = [row(image(f"https://example.com/{n}.png"), REPLY) for n in range(61)]
    path.write_bytes(b"\n".join(rows))
    report = check_file(path, base=base)
    assert found(report) == {"too_many_pictured": ()}
    assert "61; Vision Ltd takes 60" in report.problems[0].message
    path.write_bytes(b"\n".join(rows[:60]))
    assert found(check_file(path, base=base)) == {}

"""Repairs: what can be put right is, nothing else is touched, and lines are those of the file as dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuning.datasets import LineMap, Repair, check_file, examine, repair, repairable

Row = dict[str, Any]
USER, REPLY = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
CHAT = {"messages": [USER, REPLY]}


def repaired(data: bytes, tmp_path: Path) -> tuple[list[bytes], Repair]:
    (tmp_path / "in.jsonl").write_bytes(data)
    result = repair(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert len(lines) == result.rows == len(result.lines)
    return lines, result


PLAIN = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
BROKEN: dict[str, str] = {
    "comma at the end": PLAIN + ",",
    "comma in a list": PLAIN.replace("}]}", "},]}"),
    "comma in an object": PLAIN[:-1] + ",}",
    "curly quotes": re.sub(r'"(\w+)"', r"“\1”", PLAIN),
    "curly quotes around values": PLAIN.replace('"Hi"', "“Hi”"),
    "Python": "{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello'}]}",
    "a tuple": "{'messages': ({'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello'})}",
    "mixed quotes": PLAIN.replace('"role"', "'role'"),
    "a comment after it": PLAIN + "  # the first one",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_nearly_json_becomes_json(kind: str, tmp_path: Path) -> None:
    lines, result = repaired(BROKEN[kind].encode() + b"\n", tmp_path)
    assert [json.loads(line) for line in lines] == [CHAT]
    assert result.changed == 1
    assert result.changes[0].lines == (1,)
    assert result.changes[0].code in ("invalid_json", "python_dict")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 'it\\'s \"so\"'}", {"a": 'it\'s "so"'}),
        ("{'a': None, 'b': True, 'c': [1, 2.5, -3,],}", {"a": None, "b": True, "c": [1, 2.5, -3]}),
        ("{'a': 'x\\x41\\u00e9\\n'}", {"a": "xAé\n"}),
        ('{"a": "None, True and (x,)", "b": None}', {"a": "None, True and (x,)", "b": None}),
        ('{"a": "say “hi”",}', {"a": "say “hi”"}),
        ('{“a”: “say "hi"”}', {"a": 'say "hi"'}),
        ('{"a": "tab\there"}', {"a": "tab\there"}),
        ('{"a": "// no comment # here",}', {"a": "// no comment # here"}),
    ],
)
def test_what_is_within_quotes_is_never_changed(text: str, value: Any, tmp_path: Path) -> None:
    lines, _ = repaired(text.encode() + b"\n", tmp_path)
    assert json.loads(lines[0]) == value


@pytest.mark.parametrize(
    "line",
    [
        b"{oops",
        b'{"messages": [',
        b'{"a": "it is',
        b'{"a": NaN}',
        b"Dear team, see below.",
        b"{'a': {1, 2}}",
        b"{'a': open('x')}",
        b"{'a': b'x'}",
        b'{"a": "\\ud800"}',
        b"\x00\x01",
        b"{" * 3_000,
        b"(" * 100_000,
        b"'" * 99_999,
    ],
)
def test_what_cannot_be_repaired_is_copied_as_it_is(line: bytes, tmp_path: Path) -> None:
    lines, result = repaired(PLAIN.encode() + b"\n" + line + b"\n", tmp_path)
    assert lines == [PLAIN.encode(), line]
    assert result.changes == ()


def test_good_rows_stay_byte_for_byte(tmp_path: Path) -> None:
    odd = b'  { "messages" : [ {"role":"user","content":"\xc3\xa9"} ] }  '
    assert repaired(odd + b"\n", tmp_path)[0] == [odd]


def test_marks_line_ends_and_blank_lines(tmp_path: Path) -> None:
    row = PLAIN.encode()
    lines, result = repaired(b"\xef\xbb\xbf" + row + b"\r\n\r\n" + row + b"\r\n \n" + row, tmp_path)
    assert lines == [row] * 3
    assert list(result.lines) == [1, 3, 5]
    assert {change.code: (change.count, change.lines) for change in result.changes} == {
        "bom": (1, (1,)),
        "crlf": (3, (1, 2, 3)),
        "blank_lines": (2, (2, 4)),
    }


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_other_unicode_encodings_become_utf8(encoding: str, tmp_path: Path) -> None:
    lines, result = repaired((PLAIN.replace("Hi", "Grüße 😀") + "\n").encode(encoding), tmp_path)
    assert json.loads(lines[0])["messages"][0]["content"] == "Grüße 😀"
    assert [change.code for change in result.changes] == [f"utf{encoding[4:6]}"]


def test_windows_1252_becomes_utf8(tmp_path: Path) -> None:
    lines, result = repaired(PLAIN.replace("Hi", "it’s “so”").encode("cp1252") + b"\n", tmp_path)
    assert json.loads(lines[0])["messages"][0]["content"] == "it’s “so”"
    assert [change.code for change in result.changes] == ["invalid_utf8"]


@pytest.mark.parametrize("indent", [None, 2])
def test_one_list_becomes_lines(indent: int | None, tmp_path: Path) -> None:
    rows = [{"messages": [{**USER, "content": f'brace }} " {n} [ // #'}, REPLY]} for n in range(3)]
    lines, result = repaired(json.dumps(rows, indent=indent).encode(), tmp_path)
    assert [json.loads(line) for line in lines] == rows
    if indent:
        assert list(result.lines) == [2, 14, 26]


def test_spread_objects_become_lines_commas_and_comments_aside(tmp_path: Path) -> None:
    text = (
        "// first\n"
        + json.dumps(CHAT, indent=2).replace('"Hi"', '"Hi",')
        + ",\n\n"
        + json.dumps(CHAT, indent=2)
    )
    lines, result = repaired(text.encode(), tmp_path)
    assert [json.loads(line) for line in lines] == [CHAT, CHAT]
    assert list(result.lines) == [2, 15]


def test_several_objects_on_a_line_are_parted_and_comments_left_out(tmp_path: Path) -> None:
    data = f"# rows\n{PLAIN}{PLAIN}\n{PLAIN}, {PLAIN}\n// end\n".encode()
    lines, result = repaired(data, tmp_path)
    assert [json.loads(line) for line in lines] == [CHAT] * 4
    assert list(result.lines) == [2, 2, 3, 3]


def chat(*contents: tuple[str, str]) -> Row:
    return {"messages": [{"role": role, "content": content} for role, content in contents]}


CONVERTED: list[tuple[str, Row, Row]] = [
    (
        "legacy_format",
        {"prompt": "Hi\n\n###\n\n", "completion": " Hello END"},
        chat(("user", "Hi"), ("assistant", "Hello")),
    ),
    (
        "alpaca_format",
        {"instruction": "Add", "input": "1 2", "output": "3", "system": "Be brief", "history": [["a", "b"]]},
        chat(
            ("system", "Be brief"),
            ("user", "a"),
            ("assistant", "b"),
            ("user", "Add\n\n1 2"),
            ("assistant", "3"),
        ),
    ),
    ("alpaca_format", {"instruction": "Add", "output": "3"}, chat(("user", "Add"), ("assistant", "3"))),
    (
        "sharegpt_format",
        {"id": 1, "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        CHAT,
    ),
    (
        "sharegpt_format",
        {"conversation": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
        CHAT,
    ),
    (
        "sharegpt_format",
        {
            "conversations": [
                {"from": "human", "value": "2+2"},
                {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 2}}'},
                {"from": "observation", "value": "4"},
                {"from": "gpt", "value": "Four"},
            ],
            "tools": '[{"name": "add", "parameters": {"type": "object"}}]',
            "system": "Count",
        },
        {
            "messages": [
                {"role": "system", "content": "Count"},
                {"role": "user", "content": "2+2"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "add", "arguments": '{"a":2}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "4"},
                {"role": "assistant", "content": "Four"},
            ],
            "tools": [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}],
        },
    ),
    (
        "trl_preference_format",
        {"prompt": "Hi", "chosen": "Hello", "rejected": "What?"},
        {
            "input": {"messages": [USER]},
            "preferred_output": [REPLY],
            "non_preferred_output": [{"role": "assistant", "content": "What?"}],
        },
    ),
    (
        "trl_preference_format",
        {"chosen": [USER, REPLY], "rejected": [USER, {"role": "assistant", "content": "What?"}]},
        {
            "input": {"messages": [USER]},
            "preferred_output": [REPLY],
            "non_preferred_output": [{"role": "assistant", "content": "What?"}],
        },
    ),
]


@pytest.mark.parametrize(("code", "row", "wanted"), CONVERTED)
def test_other_formats_become_the_right_one(code: str, row: Row, wanted: Row, tmp_path: Path) -> None:
    lines, result = repaired(json.dumps(row).encode() + b"\n", tmp_path)
    assert json.loads(lines[0]) == wanted
    assert [(change.code, change.lines) for change in result.changes] == [(code, (1,))]
    again = check_file(tmp_path / "out.jsonl", validation=True)
    assert again.verdict == "accept"


def test_a_speaker_nobody_knows_is_not_guessed_at(tmp_path: Path) -> None:
    row = json.dumps({"conversations": [{"from": "Customer", "value": "Hi"}]}).encode()
    assert repaired(row + b"\n", tmp_path)[0] == [row]


def test_the_button_counts_what_the_repair_puts_right(
    good: list[bytes], write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(*good, PLAIN.encode() + b",", b"{oops", b'{"messages": []}', b"{'messages': []}", CHAT)
    report = examine(path, check_file(path))
    assert report.bad_rows == 4
    assert repairable(report) == 1
    repair(path, tmp_path / "out.jsonl")
    assert check_file(tmp_path / "out.jsonl").bad_rows == 3


def test_before_the_second_look_the_button_tells_from_the_codes(write: Callable[..., Path]) -> None:
    path = write(*({"prompt": f"a{n}", "completion": "b"} for n in range(12)))
    assert repairable(check_file(path)) == repairable(examine(path, check_file(path))) == 12
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))
    assert repairable(check_file(path)) == 1


def test_problems_of_a_repaired_file_are_told_with_the_lines_as_dropped(
    good: list[bytes], write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write(b"", *good, b"", b'{"messages": [{"role": "human", "content": "x"}]}')
    result = repair(path, out := tmp_path / "out.jsonl")
    problem = result.lines.report(check_file(out)).errors[0]
    assert problem.lines == (63,)
    assert "line 63" in problem.message


def test_a_line_map_survives_being_kept_and_chained() -> None:
    first, second = LineMap([2, 4, 6]), LineMap([1, 3])
    assert LineMap.from_bytes(first.to_bytes()) == first
    assert list(second.after(first)) == [2, 6]
    with pytest.raises(ValueError, match="no line map"):
        LineMap.from_bytes(b"something else")


TEXTS = st.text(alphabet="{}[]()\"'“”‘’,:\\abnuTN 1#/*\n", max_size=60)
QUIET = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(st.lists(TEXTS, max_size=4).map("\n".join).map(str.encode) | st.binary(max_size=200))
def test_no_bytes_crash_a_repair_and_a_second_one_changes_nothing(tmp_path: Path, data: bytes) -> None:
    lines, _ = repaired(data, tmp_path)
    again, _ = repaired(b"".join(line + b"\n" for line in lines), tmp_path)
    third, _ = repaired(b"".join(line + b"\n" for line in again), tmp_path)
    assert third == again


@QUIET
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_python_notation_keeps_every_value(tmp_path: Path, value: Any) -> None:
    row = {"x": value, "y": [None]}
    lines, _ = repaired(repr(row).encode("utf-8", "replace") + b"\n", tmp_path)
    assert len(lines) == 1
    if lines[0] != repr(row).encode():
        assert orjson.loads(lines[0]) == row

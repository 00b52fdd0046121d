"""The quick way never says anything else than the thorough way."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuning.datasets.chat import check_supervised
from tuning.datasets.parsing import parse_line
from tuning.datasets.quick import fingerprint, look

TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "\u3000",
        "<|endoftext|>",
        "a|b",
        '"',
        "\\",
        "\\u2028",
        "\u2028",
        "\x85",
        "\0",
        "\x7f\b\f/",
        "😀",
    ]
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "assistant", "tool", ""]), "content": TEXT},
    optional={"weight": st.integers(0, 1)},
)
ROWS = st.fixed_dictionaries({"messages": st.lists(MESSAGE, max_size=4)})


def agrees(line: bytes) -> None:
    plain = look(line)
    parsed = parse_line(line)
    if plain is None:
        return
    assert parsed.ok
    check_supervised(parsed.value, parsed.found)
    assert parsed.found == {}
    assert list(plain[0]) == [message["role"] for message in parsed.value["messages"]]
    assert plain[1] == [message["content"] for message in parsed.value["messages"]]
    assert plain[3] == fingerprint(parsed.value, parsed.canonical)


@settings(max_examples=300, deadline=None)
@given(ROWS, st.booleans())
def test_on_rows(row: dict[str, object], ascii_only: bool) -> None:
    agrees(json.dumps(row, ensure_ascii=ascii_only).encode())


@settings(max_examples=300, deadline=None)
@given(ROWS, st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 3))
@example({"messages": [{"role": "assistant", "content": "a"}]}, 30, b"\xff", 1)
def test_on_damaged_rows(row: dict[str, object], place: int, damage: bytes, gone: int) -> None:
    data = json.dumps(row, ensure_ascii=False).encode()
    at = place % (len(data) + 1)
    agrees(data[:at] + damage + data[at + gone :])


TURN = '{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "b"}]}'


@pytest.mark.parametrize("text", ["a", "a\\n", '\\"', "ä\\/", "\\ud83d\\ude00", "a|b", "\\u0041", "\x7f"])
def test_plain_rows_do_go_the_quick_way(text: str) -> None:
    assert look((TURN % text).encode()) is not None


@pytest.mark.parametrize(
    "text",
    ["", " ", "\\u00a0", "\\u0000", "<|im_start|>", "\\u003c|x", "\\ud800", "\u2028", "\\u2028", "\n",
     "\\x", 'a", "content": "b', 'a", "role": "user'],
)  # fmt: skip
def test_rows_with_something_to_say_do_not(text: str) -> None:
    assert look((TURN % text).encode("utf-8", "surrogatepass")) is None


def test_a_text_of_bytes_that_are_no_utf8_does_not() -> None:
    assert look((TURN % "a").encode().replace(b'"a"', b'"\xc3"')) is None


def test_one_row_has_one_fingerprint_in_every_spelling() -> None:
    spellings = [
        b'{"messages":[{"role":"user","content":"\xc3\xa4/"},{"role":"assistant","content":"b"}]}',
        b'{"messages": [{"content": "\\u00e4\\/", "role": "user"}, {"role": "assistant", "content": "b"}]}',
    ]
    prints = {plain[3] for line in spellings if (plain := look(line)) is not None}
    parsed = [parse_line(line) for line in spellings]
    prints |= {fingerprint(one.value, one.canonical) for one in parsed}
    assert len(prints) == 1

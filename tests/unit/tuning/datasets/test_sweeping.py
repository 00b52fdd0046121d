"""Many rows at a time are taken for plain only where each by itself is, and are the same rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuning.datasets.quick import look
from tuning.datasets.sweeping import Sweeper
from tuning.datasets.swept import SeenRows, roles_of

TEXT = st.text(max_size=12) | st.sampled_from(
    ["", " ", "\n", "\n\u3000", "\u3000a", "<|x", "a|b", '"', "\\", '\\"', '"\\\\"\\', "\n\\n", "\u2028",
     "\x85", "\0", "\x7f\b\f/\t\r", "\x1b", "😀", "한국어 안내", '"}, {"role": "user", "content": "',
     '"}]}\n', "a" * 40]
)  # fmt: skip
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "assistant", "tool", ""]), "content": TEXT},
    optional={"weight": st.integers(0, 1)},
)
ROWS = st.lists(st.fixed_dictionaries({"messages": st.lists(MESSAGE, max_size=4)}), min_size=1, max_size=6)
WRITERS = (
    lambda row: json.dumps(row, ensure_ascii=False),
    lambda row: json.dumps(row, ensure_ascii=False, separators=(",", ":")),
    json.dumps,
    lambda row: json.dumps(row, indent=1).replace("\n", " "),
)  # fmt: skip


sweep = Sweeper().sweep


def agrees(data: bytes) -> None:
    swept = sweep(data)
    if swept is None:
        return
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert swept.lines() == len(lines)
    plain = [look(line) for line, is_plain in zip(lines, swept.plain, strict=True) if is_plain]
    seen = SeenRows(swept)
    assert [roles_of(roles) for roles in swept.roles] == [row and row[0] for row in plain]
    assert seen.prints == [row and row[3] for row in plain]
    texts: list[str] = []
    for row, prompt, shared in zip(plain, seen.prompts, seen.shared, strict=True):
        assert row is not None
        assert prompt == (row[1][0] if row[0][0] == "system" else None)
        texts += row[1][shared is not None :]
    if plain:
        blob, counts, messages = seen.blob(slice(0, len(plain)))
        assert blob == "\0".join(texts).encode()
        assert sum(counts) == len(texts)
        assert messages.tolist() == [len(row[0]) for row in plain if row]
        halves = [seen.blob(slice(0, 1)), seen.blob(slice(1, len(plain)))] if len(plain) > 1 else []
        assert not halves or b"\0".join(part for part, _, _ in halves) == blob
    again = [line for _, line in swept.runs() if line is not None]
    assert again == [line for line, is_plain in zip(lines, swept.plain, strict=True) if not is_plain]


@settings(max_examples=400, deadline=None)
@given(ROWS, st.sampled_from(WRITERS), st.booleans())
def test_on_rows(rows: list[Any], write: Any, complete: bool) -> None:
    agrees("\n".join(map(write, rows)).encode() + b"\n" * complete)


@settings(max_examples=600, deadline=None)
@given(ROWS, st.sampled_from(WRITERS[:2]), st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 9))
@example([{"messages": [{"role": "assistant", "content": "a" * 60}]}], WRITERS[0], 49, b"\xff", 1)
@example([{"messages": [{"role": "assistant", "content": "a" * 60}]}], WRITERS[0], 108, b"\\", 1)
def test_on_damaged_rows(rows: list[Any], write: Any, place: int, damage: bytes, gone: int) -> None:
    data = "\n".join(map(write, rows)).encode()
    at = place % (len(data) + 1)
    agrees((data[:at] + damage + data[at + gone :]).replace(b"\r", b""))


CHAT = (
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": 'a "b"\n\\n ä'},
                  {"role": "assistant", "content": "한국어 \\ |"}]},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": " b "}] * 3},
)  # fmt: skip


@pytest.mark.parametrize("write", WRITERS[:2], ids=["spaced", "compact"])
def test_plain_rows_are_taken_in_both_common_spellings(write: Any) -> None:
    data = "\n".join(write(row) for row in CHAT * 3).encode()
    swept = sweep(data)
    assert swept is not None
    assert swept.plain.tolist() == [True] * 6
    agrees(data)


def test_one_odd_line_is_left_to_others_and_the_rest_is_taken() -> None:
    good = WRITERS[0](CHAT[0]).encode()
    for odd in (b"", b"oops", b"[1]", good.replace(b"user", b"tool"), good.replace(b"Be brief.", b"\xff"),
                good.replace(b"brief", b"<|b"), good + b" ",
                good.replace("ä".encode(), b"\\u00e4")):  # fmt: skip
        data = b"\n".join([good, odd, good, good])
        swept = sweep(data)
        assert swept is not None
        assert swept.plain.tolist() == [True, False, True, True]
        agrees(data)

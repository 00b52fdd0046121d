"""The second look sees the same in plain rows whether it takes many at a time or each by itself."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tuning.datasets.looking import Looking, Piece, _Look, hand
from tuning.datasets.sweeping import Sweeper

TEXT = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["a@b.example", "call 010-1234-5678", "\\u0061@b.example", "a\\/b\n", 'say "hi"', "데이터 a@b.example",
     "data:,x", "sk-proj-abcdefGHIJ0123456789abcd", "4111 1111 1111 1111", "\ttab\\",
     "{\"mail\": \"a@b.example\"}"]
)  # fmt: skip
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXT})
SYSTEM = st.lists(st.fixed_dictionaries({"role": st.just("system"), "content": TEXT}), max_size=1)
LAST = st.fixed_dictionaries({"role": st.just("assistant"), "content": TEXT})
CHAT = st.tuples(SYSTEM, st.lists(MESSAGE, max_size=3), LAST).map(lambda part: [*part[0], *part[1], part[2]])
LINES = st.lists(
    CHAT.map(lambda chat: {"messages": chat}) | st.just({"messages": 1}), min_size=1, max_size=20
)


@settings(max_examples=300, deadline=None)
@given(LINES, st.sampled_from([(", ", ": "), (",", ":")]))
def test_plain_rows_leave_the_same_behind_either_way(rows: list[Any], separators: tuple[str, str]) -> None:
    data = "".join(json.dumps(row, ensure_ascii=False, separators=separators) + "\n" for row in rows).encode()
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        looking = Looking(file.name.encode(), True, 5)
        together: Piece = hand(msgspec.msgpack.encode(looking))(0, len(data))
        assert together == _Look(looking, lambda _: None).at(0, len(data))


def test_plain_rows_are_looked_at_together() -> None:
    row = {
        "messages": [{"role": "user", "content": "Hi, a@b.example"}, {"role": "assistant", "content": "Yes."}]
    }
    swept = Sweeper().sweep((json.dumps(row) + "\n").encode() * 9)
    assert swept is not None
    assert swept.is_worth_it()

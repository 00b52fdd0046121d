"""Files made to break a checker: nested deep, lines of many megabytes, a million messages in a row."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.drops import whole_way
from tests.unit.tuning.datasets.test_arbitrary_bytes import ROW, VALUES
from tuning.datasets import FORMATS, check_file, difference, examine, redact, repair, split

TURN = b'{"role": "user", "content": "a"}'


def deep(opening: bytes, closing: bytes, levels: int = 20_000) -> bytes:
    return b'{"messages": ' + opening * levels + closing * levels + b"}"


HOSTILE: dict[str, tuple[bytes, str]] = {
    "lists 20,000 deep": (deep(b"[", b"]"), "too_deep"),
    "objects 20,000 deep": (deep(b'{"a":', b"1}"), "too_deep"),
    "20,000 brackets never closed": (b'{"messages": ' + b"[" * 20_000, "too_deep"),
    "JSON in JSON in JSON": (
        json.dumps({"messages": [{"role": "assistant", "content": "[" * 5_000 + "]" * 5_000}]}).encode(),
        "no_user_message",
    ),
    "a line of 10 MB": (
        b'{"messages": [' + TURN + b', {"role": "assistant", "content": "' + b"word " * 2_000_000 + b'"}]}',
        "",
    ),
    "much that is no text": (b'{"messages": [' + b"\xff,:" * 200_000, "invalid_utf8"),
    "a million messages": (b'{"messages": [' + b", ".join([TURN] * 1_000_000) + b"]}", "row_too_large"),
    "a million keys": (
        b'{"a": {' + b",".join(b'"%d":1' % n for n in range(600_000)) + b"}}",
        "missing_messages",
    ),
    "a number of 100,000 digits": (b'{"messages": ' + b"9" * 100_000 + b"}", "huge_number"),
    "100,000 backslashes": (b'{"messages": "' + b"\\" * 100_001 + b'"}', "invalid_json"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_row_is_named_and_the_rest_is_checked(
    name: str, good: list[bytes], write: Callable[..., Path], tmp_path: Path
) -> None:
    row, code = HOSTILE[name]
    path = write(*good[:30], row, *good[30:])
    report = check_file(path)
    assert {problem.code: problem.lines for problem in report.problems}.get(code) == ((31,) if code else None)
    assert report.rows == 61
    assert all(len(problem.message) < 300 for problem in report.problems)


@pytest.mark.parametrize("name", [name for name in HOSTILE if "a million" not in name])
def test_everything_that_is_made_of_a_hostile_file_comes_to_an_end(
    name: str, good: list[bytes], write: Callable[..., Path], tmp_path: Path
) -> None:
    path, out = write(*good[:12], HOSTILE[name][0]), tmp_path / "out.jsonl"
    examine(path, check_file(path))
    for read_as in (None, "chat"):
        assert repair(path, out, read_as=read_as).rows == 13
    assert redact(path, out).rows_changed == 0
    split(path, tmp_path / "train.jsonl", tmp_path / "valid.jsonl")
    assert difference(path, out).same


# --- any rows, any format, any packing ---------------------------------------------------------------------
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS = (
    "messages conversations turns from value role content prompt completion question answer instruction input"
    " output chosen rejected system tools text"
)
KEYS = st.sampled_from(WORDS.split())
ODD_ROW = st.dictionaries(KEYS, VALUES | st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=3))


@QUIET
@given(
    st.lists(ROW | ODD_ROW | VALUES, min_size=1, max_size=5),
    st.sampled_from([None, *FORMATS]),
    st.sampled_from(["", "", "utf-16", "utf-32-le"]),
    st.integers(0, 400),
    st.binary(max_size=2),
)
def test_no_rows_break_the_whole_way(
    rows: list[Any], read_as: str | None, encoding: str, place: int, damage: bytes
) -> None:
    data = "\n".join(json.dumps(row) for row in rows).encode()
    at = place % (len(data) + 1)
    data = data[:at] + damage + data[at:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.jsonl")
        path.write_bytes(data.decode("utf-8", "replace").encode(encoding) if encoding else data)
        whole_way(path, Path(folder), read_as)

"""No bytes make the check crash."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.drops import holds_together
from tuning.datasets import Report, base_info, check_file, rows, write_csv_report

WORDS = (
    "messages role content tools tool_calls function name arguments weight id type input preferred_output"
    " non_preferred_output image_url url parameters properties text"
)
KEYS = st.sampled_from(WORDS.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
    ["user", "assistant", "tool", "system", "function", "image_url", "text", "{}", "<|endoftext|>"]
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
MESSAGE = st.fixed_dictionaries(
    {"role": LEAVES}, optional={"content": VALUES, "tool_calls": VALUES, "weight": LEAVES}
)
ROW = st.fixed_dictionaries({"messages": st.lists(MESSAGE | VALUES, max_size=4)}, optional={"tools": VALUES})


def check_bytes(data: bytes) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        path.write_bytes(data)
        report = check_file(path, base=base_info("gpt-4.1-mini"), against=path)
        list(rows(path))
        write_csv_report(Path(folder) / "report.csv", report, path)
        return report


QUIET = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    holds_together(check_bytes(data))


@QUIET
@given(st.lists(ROW | st.dictionaries(KEYS, VALUES, max_size=5) | VALUES, min_size=1, max_size=6))
def test_any_json(values: list[Any]) -> None:
    holds_together(check_bytes("\n".join(json.dumps(value) for value in values).encode()))


@QUIET
@given(st.lists(ROW, min_size=1, max_size=3), st.integers(0, 10_000), st.binary(max_size=3))
def test_damaged_rows(values: list[Any], place: int, damage: bytes) -> None:
    data = "\n".join(json.dumps(value) for value in values).encode()
    at = place % (len(data) + 1)
    holds_together(check_bytes(data[:at] + damage + data[at + 1 :]))

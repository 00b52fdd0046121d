"""The examples of the reference page break the rules they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuning.datasets import RULES, check_file, examine
from tuning.datasets.rules.examples import FILES, PREFERENCES, ROWS, WORDS


def test_every_rule_has_one_example() -> None:
    tables = (ROWS, PREFERENCES, FILES, WORDS)
    assert sorted(code for table in tables for code in table) == sorted(RULES)


@pytest.mark.parametrize("code", [*ROWS, *PREFERENCES])
def test_a_row_breaks_its_rule(code: str, good: list[bytes], tmp_path: Path) -> None:
    fine = good if code in ROWS else [PREFERENCES["same_outputs"].encode()] * 12
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*fine, (ROWS | PREFERENCES)[code].encode(), fine[0]]))
    report = examine(path, check_file(path))
    assert (len(fine) + 1) in {p.code: p.lines for p in report.problems}[code]


@pytest.mark.parametrize("code", FILES)
def test_a_file_breaks_its_rule(code: str, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(FILES[code], "utf-8")
    assert [p.code for p in check_file(path).problems] == [code]

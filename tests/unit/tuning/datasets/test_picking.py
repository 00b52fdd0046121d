"""Rows left out of a copy, and rows shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.datasets import leave_out, pick


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")), max_size=12))
def test_every_other_line_stays_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    source, out = folder / "in.jsonl", folder / "out.jsonl"
    source.write_bytes(b"".join(line + b"\n" for line in [b"first", *lines]))
    made = leave_out(source, out, [1, 3, 999])
    assert made.left_out == ((1, 3) if len(lines) > 1 else (1,))
    kept = [number for number in range(1, len(lines) + 2) if number not in (1, 3)]
    assert list(made.lines) == kept
    assert out.read_bytes() == b"".join(lines[number - 2] + b"\n" for number in kept)


def test_lines_that_the_file_has_not_make_no_copy(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"{}\n")
    with pytest.raises(ValueError, match="none of these lines"):
        leave_out(source, tmp_path / "out.jsonl", [7])


def test_rows_are_shown_on_one_line_cut_and_without_private_values(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(
        "{}\n" + '{"a": "write to kim@example.org"}\n' + "\u202e`b`\x00" + "c" * 500 + "\n", "utf-8"
    )
    found = pick(source, [3, 2, 99], 40)
    assert [line for line, _ in found] == [2, 3]
    assert found[0][1] == '{"a": "write to [email]"}'
    assert found[1][1].startswith("b")
    assert found[1][1].endswith("c…")
    assert all(len(text) <= 41 and "\u202e" not in text and "`" not in text for _, text in found)

"""Lines are those of the file as dropped, wherever they are named, also of a copy of a copy."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuning.datasets import LineMap, Report, check_file, examine, redact, repair, split, write_csv_report
from tuning.datasets.report import Finding, Problem


def report(message: str, **more: Any) -> Report:
    problem = Problem("warning", "near_duplicates", 2, (2, 3), message, "look")
    return Report("f", "s", 1, "supervised", 3, 3, "accept", (problem,), None, None, 0, **more)


def test_every_line_a_report_names_is_as_dropped() -> None:
    lines = LineMap([10, 20, 30])
    mapped = lines.report(report("2 rows repeat (line 2, like line 1)", privacy={"email": Finding(1, (3,))}))
    assert mapped.problems[0].lines == (20, 30)
    assert mapped.problems[0].message == "2 rows repeat (line 20, like line 10)"
    assert mapped.privacy["email"].lines == (30,)


def test_what_is_quoted_from_a_file_is_left_as_it_is() -> None:
    mapped = LineMap([10, 20]).report(report("it says `line 2` (line 1, here)"))
    assert mapped.problems[0].message == "it says `line 2` (line 10, here)"


def test_lines_of_another_file_are_mapped_by_that_files_map() -> None:
    lines = LineMap([10, 20, 30])
    said = "1 row nearly repeats one (line 2, like line 3 there)"
    assert lines.report(report(said)).problems[0].message.endswith("(line 20, like line 3 there)")
    assert lines.there(report(said)).problems[0].message.endswith("(line 2, like line 30 there)")


def test_a_repaired_redacted_and_split_file_names_the_lines_of_the_drop(
    good: list[bytes], write: Callable[..., Path], tmp_path: Path
) -> None:
    mail = json.dumps(
        {"messages": [{"role": "user", "content": "a@b.example"}, {"role": "assistant", "content": "x"}]}
    ).encode()
    path = write(*good[:5], b"", mail[:-1] + b",}", b"# note", *good[5:], b"{broken")
    mended, clean = tmp_path / "mended.jsonl", tmp_path / "clean.jsonl"
    first = repair(path, mended).lines
    found = first.report(examine(mended, check_file(mended)))
    assert found.privacy["email"].lines == (7,)
    assert {p.code: p.lines for p in found.errors} == {"invalid_json": (64,)}
    second = redact(mended, clean).lines.after(first)
    assert {p.code: p.lines for p in second.report(check_file(clean)).errors} == {"invalid_json": (64,)}
    parts = split(clean, tmp_path / "train.jsonl", tmp_path / "valid.jsonl")
    dropped = sorted([*parts.train_lines.after(second), *parts.valid_lines.after(second)])
    assert dropped == [*range(1, 6), 7, *range(9, 64)]


def test_the_table_names_lines_as_dropped_in_its_words_too(
    good: list[bytes], write: Callable[..., Path], tmp_path: Path
) -> None:
    twin = good[3].replace(b"shipping", b"billing")
    path = write(b"", b"", *good[:20], twin)
    made = repair(path, out := tmp_path / "out.jsonl")
    found = examine(out, check_file(out))
    write_csv_report(table := tmp_path / "report.csv", found, out, lines=made.lines)
    with table.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["code"] == "conflicting_answers"]
    assert [(row["line"], "line 6" in row["what"]) for row in rows] == [("23", True)]

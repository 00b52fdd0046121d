"""What leaves a check: the promised object, and the table that names every line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

from tuning.datasets import Report, check_file, write_csv_report


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_promised_object(report_on: Callable[..., Report], good: list[bytes]) -> None:
    promised = report_on(b"\n".join([*good, b"{oops"])).to_json()
    assert list(promised) == [
        "file", "sha256", "bytes", "method", "examples", "verdict", "problems", "tokens", "cost",
    ]  # fmt: skip
    assert promised["verdict"] == "reject"
    assert promised["problems"] == [
        {
            "severity": "error",
            "code": "invalid_json",
            "count": 1,
            "lines": [61],
            "message": "1 row is not valid JSON (line 61, column 2: a name in double quotes is missing)",
            "fix": "correct the JSON at the place named",
        }
    ]
    assert json.loads(json.dumps(promised)) == promised


def test_a_report_is_read_back(report_on: Callable[..., Report], good: list[bytes]) -> None:
    report = report_on(b"\n".join(good))
    assert Report.from_json(json.loads(json.dumps(report.to_record()))) == report
    assert Report.from_json(report.to_json()).to_json() == report.to_json()


def test_the_table_names_every_line(tmp_path: Path) -> None:
    path, out = tmp_path / "data.jsonl", tmp_path / "report.csv"
    path.write_bytes(b'{"messages": 1}\n' * 2_500)
    write_csv_report(out, check_file(path), path)
    lines = [int(row["line"]) for row in table(out) if row["code"] == "messages_not_list"]
    assert lines == list(range(1, 2_501))


def test_the_table_is_made_from_the_report_alone_when_it_names_every_line(
    report_on: Callable[..., Report], good: list[bytes], tmp_path: Path
) -> None:
    out = tmp_path / "report.csv"
    write_csv_report(out, report_on(b"\n".join([*good[:20], b"{oops"])))
    assert [(row["line"], row["severity"], row["code"]) for row in table(out)] == [
        ("21", "error", "invalid_json"),
        ("", "warning", "few_examples"),
    ]

"""What is done with a drop, from the check to the two files, and what must hold of every report."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from tuning.datasets import (
    RULES,
    Report,
    check_file,
    difference,
    examine,
    redact,
    repair,
    split,
    write_csv_report,
)


def whole_way(path: Path, folder: Path, read_as: str | None = None) -> Report:
    """Checks, looks again, repairs, redacts and splits ``path``; what it writes goes into ``folder``."""
    mended, clean = folder / "mended.jsonl", folder / "clean.jsonl"
    report = examine(path, check_file(path))
    holds_together(report)
    write_csv_report(folder / "report.csv", report, path)
    repaired = repair(path, mended, read_as=read_as)
    most = _lines(path.read_bytes())
    assert all(1 <= line <= most for line in repaired.lines)
    holds_together(repaired.lines.report(examine(mended, check_file(mended))))
    redact(mended, clean)
    assert not examine(clean, check_file(clean)).privacy
    split(clean, folder / "train.jsonl", folder / "valid.jsonl")
    assert difference(clean, clean).same
    return report


def holds_together(report: Report) -> None:
    """The verdict follows from the problems, each has a rule and a short message, and it can be kept."""
    assert report.verdict == ("reject" if report.errors else "accept")
    assert {problem.code for problem in report.problems} <= RULES.keys()
    assert all(len(problem.message) < 300 for problem in report.problems)
    assert Report.from_json(json.loads(json.dumps(report.to_record()))) == report


def _lines(data: bytes) -> int:
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.count(b"\n") + data.count(b"\r") + 1

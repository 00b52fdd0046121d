"""Real files from public repositories, with labels of what is wrong in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import Report, check_file

SEEN_OTHERWISE = {("Bug-Duck__training_data__3e3676.jsonl", "empty_content")}
"""Labelled an error, here a warning: the message is a user's and empty, which OpenAI's schema allows and
only its notebook refuses; where documents disagree and no provider error is known, a file is not blocked."""


def labels(samples: Path) -> list[dict[str, Any]]:
    return json.loads((samples / "labels.json").read_text(encoding="utf-8"))


def test_every_label_is_met(samples: Path) -> None:
    for label in labels(samples):
        report = check_file(samples / label["file"])
        expected = label["expected"]
        assert report.sha256 == label["sha256"], label["file"]
        assert report.verdict == expected["verdict"], label["file"]
        assert (report.method or "none") == expected["method_supported"], label["file"]
        assert report.examples == expected["n_examples"], label["file"]
        errors_are_named(report, label["file"], expected)


def errors_are_named(report: Report, file: str, expected: dict[str, Any]) -> None:
    found = {problem.code: problem for problem in report.problems}
    assert set(expected["warnings"]) <= found.keys(), file
    wanted = {(file, error["category"]) for error in expected["errors"]}
    for error in expected["errors"]:
        problem = found[error["category"]]
        assert problem.severity == "error" or (file, problem.code) in SEEN_OTHERWISE, file
        assert problem.lines == () if error["line"] is None else error["line"] in problem.lines, file
    assert {p.code for p in report.errors} == {code for _, code in wanted - SEEN_OTHERWISE}, file
    for code, count in expected.get("error_counts", {}).items():
        assert found[code].count == count, file


@pytest.mark.parametrize("epochs", ["auto", 2])
def test_real_files_have_tokens_and_a_cost(samples: Path, epochs: Any) -> None:
    report = check_file(samples / "microsoft-foundry__chat_validation__d32767.jsonl", epochs=epochs)
    assert report.tokens is not None
    assert report.cost is not None
    assert report.cost.billed_tokens == report.tokens.total * (3 if epochs == "auto" else 2)

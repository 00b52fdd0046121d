"""The example files that ship: what they promise to whoever tries them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import Report, check_file, rows

TEAMS = ("billing", "shipping", "login", "bug")
URGENCIES = ("low", "normal", "high")


@pytest.fixture(scope="module")
def examples(root: Path) -> Path:
    return root / "examples"


def says(row: dict[str, Any], role: str) -> str:
    return next(message["content"] for message in row["messages"] if message["role"] == role)


def codes(report: Report) -> dict[str, int]:
    return {problem.code: problem.count for problem in report.problems}


def test_the_tickets_are_ready_and_the_two_files_share_nothing(examples: Path) -> None:
    training = check_file(examples / "triage.jsonl")
    validation = check_file(
        examples / "triage-validation.jsonl", validation=True, against=examples / "triage.jsonl"
    )
    assert (training.examples, training.problems) == (60, ())
    assert (validation.examples, validation.problems) == (20, ())
    assert training.system_prompt == validation.system_prompt
    assert training.multi_system == validation.multi_system == 1


def test_every_answer_is_a_team_and_an_urgency_the_prompt_names(examples: Path) -> None:
    for name in ("triage.jsonl", "triage-validation.jsonl"):
        for _, row in rows(examples / name):
            team, urgency = says(row, "assistant").split(" | ")
            assert team in TEAMS
            assert urgency in URGENCIES
            assert team in says(row, "system")
            assert urgency in says(row, "system")


def test_the_answers_are_balanced(examples: Path) -> None:
    training = Counter(says(row, "assistant") for _, row in rows(examples / "triage.jsonl"))
    assert set(training.values()) == {5}
    assert len(training) == len(TEAMS) * len(URGENCIES)
    validation = [
        says(row, "assistant").split(" | ") for _, row in rows(examples / "triage-validation.jsonl")
    ]
    assert set(Counter(team for team, _ in validation).values()) == {5}
    assert set(Counter(urgency for _, urgency in validation).values()) <= {6, 7}


def word_pairs(text: str) -> set[tuple[str, str]]:
    return set(pairwise(text.lower().strip(".!?").split()))


def test_no_validation_ticket_is_phrased_like_one_of_training(examples: Path) -> None:
    known = [word_pairs(says(row, "user")) for _, row in rows(examples / "triage.jsonl")]
    for _, row in rows(examples / "triage-validation.jsonl"):
        pairs = word_pairs(says(row, "user"))
        assert max(len(pairs & other) / len(pairs | other) for other in known) < 0.5, says(row, "user")


def test_an_epoch_of_tickets_stays_small_enough_for_a_processor(examples: Path) -> None:
    tokens = check_file(examples / "triage.jsonl").tokens
    assert tokens is not None
    assert tokens.total < 3_700


def test_the_broken_file_shows_several_kinds_of_mistakes(examples: Path) -> None:
    report = check_file(examples / "broken.jsonl")
    assert report.verdict == "reject"
    assert (report.rows, report.bad_rows) == (14, 8)
    assert len(report.errors) >= 6
    assert codes(report)["no_assistant_message"] == 2


def test_marv_is_ready(examples: Path) -> None:
    report = check_file(examples / "marv.jsonl")
    assert (report.examples, report.problems) == (50, ())

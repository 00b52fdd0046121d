"""Failures in plain words."""

from __future__ import annotations

import pytest

from tuning.jobs.failures import explain, job_error, lines_named


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ({"code": "training_not_available", "message": ""}, "closing its fine-tuning"),
        ({"code": None, "message": "OpenAI is winding down the platform"}, "closing its fine-tuning"),
        ({"code": "insufficient_quota", "message": "quota"}, "no credit"),
        ({"code": "exceeded_quota", "message": "would exceed your hard limit"}, "no credit"),
        ({"code": "invalid_n_examples", "message": "has 9 example(s)"}, "fewer than 10"),
        ({"code": "invalid_training_file", "message": "Example 3 is missing key 'messages'"}, "format"),
        ({"code": "invalid_training_file", "message": "blocked ... by our moderation API"}, "safety filter"),
        ({"code": "invalid_training_file", "message": "Flagged lines: 4, 13"}, "safety filter"),
        ({"code": "invalid_file_format", "message": "x", "param": "validation_file"}, "validation file"),
        ({"code": "server_error", "message": "internal error"}, "broke at the provider"),
        ({"code": "never_seen", "message": "?"}, "ended the job with an error"),
        ({}, "ended the job with an error"),
    ],
)
def test_every_failure_has_why_what_to_do_and_money(error: dict[str, object], why: str) -> None:
    found = explain(error)
    assert why in found.why
    assert found.todo
    assert "charge" in found.money or "charged" in found.money


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ("Flagged lines: 4, 13, 902. There may be more.", [4, 13, 902]),
        ("Example 3, message 2 Discriminator 'role' is missing in value", [3]),
        ("Example 7 cannot be parsed. Error: line contains invalid json (line 7)", [7]),
        ("The job failed due to an internal error", []),
    ],
)
def test_lines_that_a_message_names_are_found(message: str, lines: list[int]) -> None:
    assert lines_named(message) == lines


def test_an_error_is_kept_with_its_first_line() -> None:
    kept = job_error({"code": "x", "message": "Flagged lines: 4, 13", "param": None})
    assert (kept["line"], kept["lines"]) == (4, [4, 13])

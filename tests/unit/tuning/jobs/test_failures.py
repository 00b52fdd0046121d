"""Failures in plain words: every code and message known."""

from __future__ import annotations

import pytest

from tuning.jobs.causes import BY_CODE, BY_FRAGMENT, GENERAL, IN_A_FILE
from tuning.jobs.failures import explain, job_error, lines_named

FILE = "training_file"
KNOWN = [
    (
        "training_not_available",
        "winding down ... organization is no longer able to create",
        None,
        "is closing",
    ),
    (None, "OpenAI is winding down the platform", None, "is closing its fine-tuning service"),
    (
        "invalid_n_examples",
        "Training file has 7 example(s), but must have at least 10",
        FILE,
        "fewer than 10",
    ),
    ("upload_refused", "The file cannot be read here: No space left on device.", None, "disk of ftbot"),
    ("invalid_training_file", "The job failed due to an invalid training file.", FILE, "could not read"),
    ("invalid_file_format", "due to a file format error in the training file.", FILE, "could not read"),
    ("invalid_file_format", "Example 3, message 2 Discriminator 'role' is missing in value", FILE, "no role"),
    ("invalid_file_format", "Example 3 is missing key 'messages'", FILE, "lacks a part"),
    ("invalid_file_format", "Example 1 is missing key 'input'", FILE, "holds no preferences"),
    ("invalid_file_format", 'Example 5 contains an extra "weight".', FILE, "does not know"),
    (
        "invalid_file_format",
        "Example 2 message contains an invalid token: <|fim_suffix|>",
        FILE,
        "control token",
    ),
    (
        "invalid_file_format",
        "Example 7 cannot be parsed. Error: line contains invalid json: (line 7)",
        FILE,
        "not valid JSON",
    ),
    (
        "invalid_file_format",
        "Input file file-X is in the fine-tune-chat format, but the specified fine-tuning"
        " job is not using 'supervised' ... (provided method=dpo)",
        FILE,
        "another training method",
    ),
    (
        "invalid_file_format",
        "Unexpected file format, expected either prompt/completion pairs or chat messages",
        FILE,
        "neither chats",
    ),
    (
        "invalid_file_format",
        "Example 2 is missing key 'messages'",
        "validation_file",
        "In the validation file",
    ),
    ("invalid_file_format", "file format error", "validation_file", "could not use the validation file"),
    (
        "invalid_training_file",
        "This training file was blocked because too many examples were flagged by our"
        " moderation API ... in the following categories: hate",
        FILE,
        "safety filter",
    ),
    (
        "invalid_training_file",
        "failed moderation safety checks ... Flagged lines: 4, 13",
        FILE,
        "safety filter",
    ),
    ("server_error", "The job failed due to an internal error", None, "Something broke at OpenAI"),
    (None, "File file-X is still being processed and is not ready to be used", None, "still taking in"),
    (
        "model_not_available",
        "Model X is not available for fine-tuning or does not exist",
        None,
        "chosen base",
    ),
    ("daily_rate_limit_exceeded", "fine-tune request has been rate-limited", None, "as many jobs"),
    ("rate_limit_exceeded", "maximum of 3 active requests", None, "as many jobs"),
    ("exceeded_quota", "would exceed your hard limit. Cost of job: USD 4.78", None, "no credit"),
    ("insufficient_quota", "You exceeded your current quota", None, "no credit"),
    (
        "invalid_request_error",
        "Expected file to have JSONL format, where every line is a valid JSON dictionary. Line 4 ...",
        None,
        "not valid JSON",
    ),
    ("unsafe_file", "training file flagged unsafe", FILE, "safety filter"),
    ("invalid_request_error", "None is not of type 'string' - 'suffix'", None, "the model's name"),
    (
        "model_not_found",
        "The model does not exist or you do not have access to it",
        None,
        "no longer has the",
    ),
    ("wandb_not_configured", "This server has no Weights & Biases key", None, "no key for W&B"),
    ("upload_refused", "File too large", None, "larger than OpenAI takes"),
    ("http_401", "Incorrect API key provided", None, "did not accept the key"),
    ("never_seen", "?", None, "ended the job with an error"),
    (None, "", None, "ended the job with an error"),
]


@pytest.mark.parametrize(("code", "message", "param", "why"), KNOWN)
def test_every_failure_known_is_said_in_plain_words(
    code: str | None, message: str, param: str | None, why: str
) -> None:
    error = {"code": code, "message": message, "param": param}
    for created in (True, False):
        for charges in (True, False):
            found = explain(error, "OpenAI", created=created, charges=charges)
            assert why in found.why
            for words in (found.why, found.todo, found.money):
                assert words[0].isupper()
                assert words.endswith(".")
                assert "{" not in words
                assert not code or code not in words
            assert ("charge" in found.money) is charges or "takes no fee" in found.money


def test_no_two_sentences_of_the_table_are_left_out_of_the_tests() -> None:
    told = {explain({"code": c, "message": m, "param": p}).why for c, m, p, _ in KNOWN}
    ours = ("gone", "no_model", "data_missing", "provider_missing", "file_not_found", "disk_full",
            "out_of_memory", "insufficient_memory", "moderation_unavailable", "upload_refused")  # fmt: skip
    told |= {explain({"code": code, "message": ""}).why for code in ours}
    causes = [*BY_CODE.values(), GENERAL, *(found for _, found in (*BY_FRAGMENT, *IN_A_FILE))]
    assert [c.why for c in causes if _said(c.why) not in told] == []


def _said(why: str) -> str:
    words = why.replace("{provider}", "the provider")
    return words[:1].upper() + words[1:]


@pytest.mark.parametrize(
    ("created", "words"), [(True, "still at OpenAI"), (False, "deleted at OpenAI again, unless another job")]
)
def test_where_the_uploaded_file_is_now_is_said(created: bool, words: str) -> None:
    found = explain({"code": "insufficient_quota", "message": "quota"}, "OpenAI", created=created)
    assert words in found.money
    assert "upload" not in explain({"code": "data_missing", "message": ""}, "OpenAI", created=created).money


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ("Flagged lines: 4, 13, 902. There may be more.", [4, 13, 902]),
        ("Example 3, message 2 Discriminator 'role' is missing in value", [3]),
        ("Example 7 cannot be parsed. Error: line contains invalid json (line 7)", [7]),
        ("The job failed due to an internal error", []),
        ("line 3: no role; line 12: no content", [3, 12]),
        ("lines 4 and 13 are odd", [4, 13]),
        ("Expecting ',' delimiter: line 1 column 5 (char 4) (line 7)", [7]),
        ("line " + "1" * 5000 + " column 2", []),
    ],
)
def test_lines_that_a_message_names_are_found(message: str, lines: list[int]) -> None:
    assert lines_named(message) == lines


def test_an_error_is_kept_with_its_first_line() -> None:
    kept = job_error({"code": "x", "message": "Flagged lines: 4, 13", "param": None})
    assert (kept["line"], kept["lines"]) == (4, [4, 13])

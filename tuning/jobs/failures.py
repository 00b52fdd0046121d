"""Why a job failed, in plain words: one table from the provider's codes to why, what to do, and money.

Codes and fragments come from OpenAI's documentation and from real answers collected by users; a code that is
not in the table gets general words, and the provider's own stand beside it in any case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOT_STARTED = "Training did not start, so no charge is expected."
NOT_TRAINED = "No tokens were trained, so no charge is expected. The uploaded file is still at the provider."
ASK_BILLING = "Failed jobs are usually not charged; the provider's billing page has the last word."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads about a failure. The provider's own words are shown beside it, inert."""

    why: str
    todo: str
    money: str


_QUOTA = Explanation(
    "The account at the provider has no credit left or has reached its spending limit.",
    "Add credit or raise the limit in the provider's billing settings, then start again.",
    NOT_STARTED,
)
_FORMAT = Explanation(
    "The provider could not read the training file in the format it expects.",
    "Correct the row that the provider names, drop the file again and start again.",
    NOT_TRAINED,
)
_KEY = Explanation(
    "The provider did not accept the key that ftbot uses.",
    "Who runs ftbot sets a valid key with the right to fine-tune; then start again.",
    NOT_STARTED,
)
_INTERNAL = Explanation(
    "Something broke at the provider; the data is not to blame as far as is known.",
    "Start again. If it fails twice, ask the provider's support and name the job's id.",
    ASK_BILLING,
)
_FLAGGED = Explanation(
    "The provider's safety filter for training data refused the file.",
    "Reword or drop the flagged rows, drop the file again and start again.",
    NOT_TRAINED,
)

_TABLE: dict[str, Explanation] = {
    "training_not_available": Explanation(
        "OpenAI is closing its fine-tuning service, and this organization can no longer create jobs there.",
        "Train on another provider; data and settings can stay as they are.",
        "Training did not start, so nothing is charged. The uploaded file was deleted at OpenAI again.",
    ),
    "insufficient_quota": _QUOTA,
    "exceeded_quota": _QUOTA,
    "credit_balance_exhausted": _QUOTA,
    "billing_hard_limit_reached": _QUOTA,
    "organization_usage_limit_exceeded": _QUOTA,
    "organization_spend_limit_exceeded": _QUOTA,
    "project_spend_limit_exceeded": _QUOTA,
    "invalid_n_examples": Explanation(
        "The training file has fewer than 10 examples.", "Add examples and drop the file again.", NOT_TRAINED
    ),
    "invalid_training_file": _FORMAT,
    "invalid_file_format": _FORMAT,
    "invalid_validation_file": Explanation(
        "The provider could not use the validation file.",
        "Correct the row that the provider names, or start again without a validation file.",
        NOT_TRAINED,
    ),
    "unsafe_file": _FLAGGED,
    "model_not_available": Explanation(
        "The base model cannot be trained at this provider, or no longer.",
        "Choose another base and start again.",
        NOT_STARTED,
    ),
    "invalid_api_key": _KEY,
    "http_401": _KEY,
    "http_403": _KEY,
    "server_error": _INTERNAL,
    "gone": Explanation(
        "The provider no longer has this job: it was deleted there, or the server lost its data.",
        "Start again; data and settings are kept here.",
        ASK_BILLING,
    ),
    "no_model": Explanation(
        "The provider says the job succeeded, but named no model. Its safety checks may have held it back.",
        "Look at the job at the provider; if it is held back, change the data and start again.",
        "The training itself was probably charged.",
    ),
    "upload_refused": Explanation(
        "The provider refused the training file when it was sent.",
        "Check what the provider says, correct it and start again.",
        NOT_STARTED,
    ),
    "data_missing": Explanation(
        "The dropped file is no longer kept here, so it could not be sent.",
        "Drop the file again and start again.",
        NOT_STARTED,
    ),
    "provider_missing": Explanation(
        "The provider of this job is no longer configured.",
        "Who runs ftbot adds the provider again; or start the job on another one.",
        NOT_STARTED,
    ),
}

_GENERAL = Explanation(
    "The provider ended the job with an error.",
    "Read the provider's own words; when they do not help, start again once.",
    ASK_BILLING,
)

_FRAGMENTS: tuple[tuple[str, Explanation], ...] = (
    ("winding down", _TABLE["training_not_available"]),
    ("moderation", _FLAGGED),
    ("flagged", _FLAGGED),
    ("hard limit", _QUOTA),
    ("at least 10 examples", _TABLE["invalid_n_examples"]),
    ("not available for fine-tuning", _TABLE["model_not_available"]),
)
"""What a message says is closer to the truth than its code: ``invalid_training_file`` also means flagged."""


def explain(error: Mapping[str, Any]) -> Explanation:
    """Explains ``Job.error`` (``code, message, param, line?``); an unknown code gets general words."""
    message = str(error.get("message") or "").lower()
    for fragment, explanation in _FRAGMENTS:
        if fragment in message:
            return explanation
    code = str(error.get("code") or "")
    if code in ("invalid_training_file", "invalid_file_format") and error.get("param") == "validation_file":
        return _TABLE["invalid_validation_file"]
    return _TABLE.get(code, _GENERAL)


_LINES = re.compile(r"flagged lines?:?\s*((?:\d+[,\s]*)+)|\(line (\d+)\)|example (\d+)", re.IGNORECASE)


def lines_named(message: str) -> list[int]:
    """The rows (1-based) that a provider's message names, in its order."""
    found: list[int] = []
    for match in _LINES.finditer(message):
        found += [int(n) for n in re.findall(r"\d+", next(g for g in match.groups() if g))]
    return list(dict.fromkeys(found))


def job_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """The error as ``Job.error`` keeps it: code, message, param and the lines that the message names."""
    message = str(error.get("message") or "")
    kept: dict[str, Any] = {
        "code": str(error.get("code") or "unknown"),
        "message": message,
        "param": error.get("param"),
    }
    lines = lines_named(message)
    return kept | ({"lines": lines, "line": lines[0]} if lines else {})

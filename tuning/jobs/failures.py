"""Why a job failed, in plain words, from what the provider said; its own words stand beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from storage.records import Job
from tuning.jobs.causes import BY_CODE, BY_FRAGMENT, GENERAL, IN_A_FILE, NO_CHARGE, Explanation

__all__ = ["Explanation", "blamed", "explain", "job_error", "lines_named"]

_FILE_CODES = frozenset({"invalid_training_file", "invalid_file_format", "invalid_validation_file"})
_VAGUE = _FILE_CODES | {"server_error", "upload_refused", "invalid_request_error"}
"""Codes that mean many things: what the message says is closer to the truth."""


def explain(
    error: Mapping[str, Any], provider: str = "the provider", *, created: bool = True, charges: bool = True
) -> Explanation:
    """Explains ``Job.error`` (``code, message, param, line?``); an unknown code gets general words.

    ``created``: whether the provider took the job at first; what was uploaded for one that it refused is
    deleted there. ``charges``: whether training costs money there.
    """
    found = _cause(str(error.get("code") or ""), str(error.get("message") or "").lower())
    if error.get("param") == "validation_file":
        found = _of_validation(found)
    money = found.money if charges else "{provider} takes no fee."
    if found.sent and found.money == NO_CHARGE:
        money += (
            " The uploaded file is still at {provider}."
            if created
            else " What was uploaded for it is deleted at {provider} again, unless another job uses it."
        )
    named = (words.replace("{provider}", provider) for words in (found.why, found.todo, money))
    return Explanation(*(words[:1].upper() + words[1:] for words in named), sent=found.sent)


def _of_validation(found: Explanation) -> Explanation:
    """The same about the validation file, without which a job can be started too."""
    if found in (GENERAL, BY_CODE["server_error"]):
        return found
    validation = BY_CODE["invalid_validation_file"]
    if found in (validation, BY_CODE["invalid_training_file"]):
        return validation
    return replace(
        found, why=f"In the validation file: {found.why[:1].lower()}{found.why[1:]}", todo=validation.todo
    )


def _cause(code: str, message: str) -> Explanation:
    """A code of its own first; where a code means many things, what the message says."""
    if code in BY_CODE and code not in _VAGUE:
        return BY_CODE[code]
    for fragment, explanation in (*BY_FRAGMENT, *IN_A_FILE):
        if fragment in message:
            return explanation
    return BY_CODE.get(code, GENERAL)


_LINES = re.compile(
    r"\blines?:?\s*(\d++(?:(?:, | and |,)\d++)*+)(?!\s*column)|\bexample (\d++)", re.IGNORECASE
)


def lines_named(message: str) -> list[int]:
    """The rows (1-based) that a provider's message names, in its order."""
    found: list[int] = []
    for match in _LINES.finditer(message):
        found += [int(n) for n in re.findall(r"\d+", next(g for g in match.groups() if g))]
    return list(dict.fromkeys(found))


def blamed(job: Job) -> tuple[int, list[int]]:
    """The dataset that the provider blames, and the rows of its file that it names (none: an empty list)."""
    of_validation = job.error.get("param") == "validation_file" and job.validation_id is not None
    dataset_id = job.validation_id if of_validation else job.dataset_id
    return dataset_id or job.dataset_id, [int(line) for line in job.error.get("lines") or ()]


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

"""Every way known in which a job fails: why in plain words, what to do, and what it costs.

``{provider}`` stands for the provider's name. Codes and fragments come from OpenAI's documentation, from real
answers collected by users, and from our own trainserver.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

NO_CHARGE = "No tokens were trained, so no charge is expected."
ASK_BILLING = "Failed jobs are usually not charged; the billing page of {provider} has the last word."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads about a failure. The provider's own words are shown beside it, inert.

    ``sent``: whether a file was uploaded for the job at all.
    """

    why: str
    todo: str
    money: str = NO_CHARGE
    sent: bool = True


_QUOTA = Explanation(
    "The account at {provider} has no credit left, or has reached its spending limit.",
    "Add credit or raise the limit in its billing settings, then start again.",
)
_KEY = Explanation(
    "{provider} did not accept the key that ftbot uses.",
    "Who runs ftbot sets a valid key with the right to fine-tune; then start again.",
)
_BUSY = Explanation(
    "The account at {provider} already trains as many jobs as it may at once.",
    "Wait until one of them has ended, then start again.",
)
_FORMAT = Explanation(
    "{provider} could not read the training file in the format it expects.",
    "Correct what it names below, then drop the corrected file here.",
)
_VALIDATION = Explanation(
    "{provider} could not use the validation file.",
    "Correct what it names, or start again without a validation file.",
)
_FLAGGED = Explanation(
    "The safety filter of {provider} for training data refused the file.",
    "Reword or delete what was flagged, then drop the corrected file here.",
)
_INTERNAL = Explanation(
    "Something broke at {provider}; as far as is known the data is not to blame.",
    "Start again. If it fails twice, ask the support of {provider} and name the job's id (under About).",
    ASK_BILLING,
)
_TOO_LARGE = Explanation(
    "The file is larger than {provider} takes.",
    "Split the data into smaller files and drop one of them here.",
    sent=False,
)
_BASE = Explanation(
    "The chosen base cannot be trained at {provider}, or no longer.",
    "Start again with another base.",
)
_MACHINE = (
    "Who runs the trainer looks at it; until then a smaller base, smaller batches or shorter rows may do."
)
_MEMORY = Explanation("The training machine ran out of memory.", _MACHINE, ASK_BILLING)

BY_CODE: dict[str, Explanation] = {
    "training_not_available": Explanation(
        "{provider} is closing its fine-tuning service: this organization can no longer create jobs there.",
        "Train on another provider: data and settings can stay as they are.",
    ),
    **dict.fromkeys(
        (
            "insufficient_quota",
            "exceeded_quota",
            "credit_balance_exhausted",
            "billing_hard_limit_reached",
            "billing_not_active",
            "organization_usage_limit_exceeded",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
        ),
        _QUOTA,
    ),
    **dict.fromkeys(("rate_limit_exceeded", "daily_rate_limit_exceeded"), _BUSY),
    **dict.fromkeys(
        ("invalid_api_key", "insufficient_permissions", "permission_denied", "http_401", "http_403"), _KEY
    ),
    **dict.fromkeys(("file_too_large", "request_too_large", "http_413"), _TOO_LARGE),
    **dict.fromkeys(("model_not_available", "unsupported_method", "base_unavailable"), _BASE),
    "invalid_n_examples": Explanation(
        "The training file has fewer than 10 examples.",
        "Add examples, then drop the file here again.",
    ),
    "invalid_training_file": _FORMAT,
    "invalid_file_format": _FORMAT,
    "invalid_validation_file": _VALIDATION,
    "unsafe_file": _FLAGGED,
    "model_not_found": Explanation(
        "{provider} no longer has the model that was to be trained.",
        "Start again with another base.",
    ),
    "file_not_found": Explanation(
        "{provider} no longer has the uploaded file.",
        "Start again: the file is sent anew.",
        sent=False,
    ),
    "server_error": _INTERNAL,
    "disk_full": Explanation(
        "The disk of the training machine is full.",
        "Who runs the trainer makes room; then start again.",
        ASK_BILLING,
    ),
    "out_of_memory": _MEMORY,
    "insufficient_memory": Explanation(
        "The training needs more memory than the machine has.",
        "Start again with what would fit: its own words below say what.",
    ),
    "wandb_not_configured": Explanation(
        "{provider} has no key for W&B, so it could not send the figures there.",
        "Register the key with {provider}, or start again without a W&B project.",
    ),
    "gone": Explanation(
        "{provider} no longer has this job: it was deleted there, the server lost its data, or the key that"
        " ftbot uses is now one of another project.",
        "Start again: data and settings are kept here.",
        ASK_BILLING,
    ),
    "no_model": Explanation(
        "{provider} says that the job succeeded, but names no model: its safety checks may hold it back.",
        "Look at the safety result in this thread. If the model is held back, change the data.",
        "The tokens were trained, so they are probably charged.",
    ),
    "upload_refused": Explanation(
        "{provider} refused the training file when it was sent.",
        "Correct what it names below, then drop the corrected file here.",
        sent=False,
    ),
    "data_missing": Explanation(
        "The dropped file is no longer kept here, so it could not be sent.",
        "Drop the file here again and start again.",
        sent=False,
    ),
    "provider_missing": Explanation(
        "The provider of this job is no longer configured.",
        "Who runs ftbot adds it again; or start the job on another one.",
        sent=False,
    ),
    "moderation_unavailable": Explanation(
        "The service that checks the trained model for safety did not answer.",
        "Who runs the trainer looks at it; then start again.",
        ASK_BILLING,
    ),
}

GENERAL = Explanation(
    "{provider} ended the job with an error.",
    "Read its own words below. If they do not help, start again once.",
    ASK_BILLING,
)

_ROW = "then drop the corrected file here."
BY_FRAGMENT: tuple[tuple[str, Explanation], ...] = (
    ("winding down", BY_CODE["training_not_available"]),
    ("at least 10 examples", BY_CODE["invalid_n_examples"]),
    ("moderation", _FLAGGED),
    ("flagged", _FLAGGED),
    ("hard limit", _QUOTA),
    ("no longer kept here", BY_CODE["data_missing"]),
    ("there is no provider", BY_CODE["provider_missing"]),
    (
        "cannot be read here",
        Explanation(
            "The kept file cannot be read here, or the disk of ftbot is full.",
            "Who runs ftbot looks at its disk (ftbot doctor); then start again.",
            sent=False,
        ),
    ),
    ("the key that ftbot uses", replace(_KEY, sent=False)),
    ("has reached its limit", replace(_QUOTA, sent=False)),
    ("too large", _TOO_LARGE),
    ("active requests", _BUSY),
    ("rate-limited", _BUSY),
    ("not available for fine-tuning", _BASE),
    ("w&b", BY_CODE["wandb_not_configured"]),
    ("wandb", BY_CODE["wandb_not_configured"]),
    ("weights & biases", BY_CODE["wandb_not_configured"]),
    (
        "still being processed",
        Explanation(
            "{provider} was still taking in the file.",
            "Start again in a few minutes.",
        ),
    ),
    (
        "'suffix'",
        Explanation(
            "{provider} did not take the model's name.",
            "Start again with another name.",
        ),
    ),
)
"""What a message says is closer to the truth than its code: ``invalid_training_file`` also means flagged."""

IN_A_FILE: tuple[tuple[str, Explanation], ...] = (
    (
        "the specified fine-tuning job is not using",
        Explanation(
            "The file is for another training method than the one that was chosen.",
            "Start again with the method that fits the file (under More settings), or drop other data.",
        ),
    ),
    (
        "missing key 'input'",
        Explanation(
            "Preference training was chosen, but the file holds no preferences.",
            "Drop a file with preferences, or start again with the supervised method.",
        ),
    ),
    (
        "'role' is missing",
        Explanation(
            "A message does not say whose it is: it has no role.",
            f"Add its role (system, user, assistant or tool), {_ROW}",
        ),
    ),
    (
        "missing key",
        Explanation(
            "A row lacks a part that every row needs.",
            f"Add what is named below, {_ROW}",
        ),
    ),
    (
        "contains an extra",
        Explanation(
            "A row has a key that {provider} does not know.",
            f"Remove the key that is named below, {_ROW}",
        ),
    ),
    (
        "invalid token",
        Explanation(
            "A row contains a control token, which no training text may hold.",
            f"Remove the token that is named below, {_ROW}",
        ),
    ),
    *(
        (
            fragment,
            Explanation(
                "A row is not valid JSON.",
                "Drop the file here again: I check every row, and can repair many of them.",
            ),
        )
        for fragment in ("cannot be parsed", "invalid json", "valid json dictionary")
    ),
    (
        "unexpected file format",
        Explanation(
            "The file holds neither chats nor prompts with completions.",
            "Drop the file here again: I say which format it has, and can convert many.",
        ),
    ),
)
"""More about a file that the provider could not read, by fragments of what it says."""

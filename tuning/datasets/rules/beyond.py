"""Rules of the second look: quality across rows, and private values."""

from __future__ import annotations

from tuning.datasets.rules.rule import COOKBOOK, Rule, error, warning

_LEAK = (
    "OpenAI API reference: training and validation data must not overlap; near copies leak as exact ones do"
)
_HOLD = "to decide before it leaves: send a redacted copy, or the file as it is"
_PRIVATE = "ftbot's own rule: what is trained on can be answered to anyone"

RULES: tuple[Rule, ...] = (
    warning(
        "near_duplicates",
        "[1 row nearly repeats|{n} rows nearly repeat] an earlier one",
        "keep one of each, or make them differ where it matters",
        "Lee and others, Deduplicating training data makes language models better (2022)",
    ),
    warning(
        "conflicting_answers",
        "[1 row answers|{n} rows answer] the same prompt differently than an earlier one",
        "keep the better answer, unless variety is meant",
        "OpenAI 0.28 prepare_data: identical prompts",
    ),
    warning(
        "short_answer",
        "[1 answer is|{n} answers are] far shorter than the rest",
        "look whether they were cut off",
        "OpenAI fine-tuning best practices: consistent examples",
    ),
    warning(
        "missing_system_prompt",
        "[1 row has|{n} rows have] no system prompt, though nearly all others do",
        "use the prompt the model will be asked with in every row",
        f"{COOKBOOK}: examples missing a system message",
    ),
    error(
        "validation_near_overlap",
        "[1 row nearly repeats|{n} rows nearly repeat] a row of the training file",
        "remove them here or there; a score on rows nearly seen in training means little",
        _LEAK,
    ),
    warning("secret", "[1 row holds|{n} rows hold] a secret (key, token or password)", _HOLD, _PRIVATE),
    warning("payment_card", "[1 row holds|{n} rows hold] a payment card number", _HOLD, _PRIVATE),
    warning("national_id", "[1 row holds|{n} rows hold] a national id number", _HOLD, _PRIVATE),
    warning("email", "[1 row holds|{n} rows hold] an e-mail address", "redact if it is private", _PRIVATE),
    warning("phone", "[1 row holds|{n} rows hold] a phone number", "redact if it is private", _PRIVATE),
    warning("ip_address", "[1 row holds|{n} rows hold] an IP address", "redact if it is private", _PRIVATE),
)

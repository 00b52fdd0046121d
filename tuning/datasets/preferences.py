"""Rules for the rows of the other methods: preference, reinforcement, and the old pairs."""

from __future__ import annotations

from typing import Any, cast

from tuning.datasets.chat import check_messages, messages_of
from tuning.datasets.excerpts import excerpt
from tuning.datasets.limits import STANDARD, Limits
from tuning.datasets.parsing import Found
from tuning.datasets.tools import check_tools

_DPO_KEYS = frozenset({"input", "preferred_output", "non_preferred_output"})
_INPUT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls"})


def check_dpo(row: dict[str, Any], found: Found, limits: Limits = STANDARD) -> None:
    """Every rule of a preference row (source: OpenAI direct preference optimization guide)."""
    if extra := row.keys() - _DPO_KEYS:
        found.setdefault("unknown_key", ", ".join(excerpt(key) for key in sorted(extra)[:3]))
    defined = _check_input(row.get("input"), found, limits)
    for key in ("preferred_output", "non_preferred_output"):
        _check_output(row.get(key), key, defined, found, limits)
    if "preferred_output" in row and row["preferred_output"] == row.get("non_preferred_output"):
        found.setdefault("same_outputs", "")


def _check_input(value: Any, found: Found, limits: Limits) -> frozenset[str]:
    if not isinstance(value, dict):
        found.setdefault("missing_input", "")
        return frozenset()
    given = cast("dict[str, Any]", value)
    if extra := given.keys() - _INPUT_KEYS:
        found.setdefault("unknown_key", f"in `input`: {excerpt(min(extra))}")
    defined = check_tools(given, found, limits)
    messages = messages_of(given, found)
    if messages is not None:
        talk = check_messages(messages, defined, found, limits)
        if talk.images:
            found.setdefault("image_in_preference", "in `input`")
        if talk.roles and talk.roles[-1] == "assistant":
            found.setdefault("input_ends_with_assistant", "")
    return defined


def _check_output(value: Any, key: str, defined: frozenset[str], found: Found, limits: Limits) -> None:
    if not isinstance(value, list) or not value:
        found.setdefault("invalid_output", f"`{key}` is not a list of messages")
        return
    talk = check_messages(cast("list[Any]", value), defined, found, limits)
    if "assistant" not in talk.roles:
        found.setdefault("invalid_output", f"`{key}` has no assistant message")
    elif set(talk.roles) - {"assistant", "tool", ""}:
        found.setdefault("invalid_output", f"`{key}` has other messages than the assistant's")


def check_reinforcement(row: dict[str, Any], found: Found, limits: Limits = STANDARD) -> None:
    """Every rule of a reinforcement row; other columns are the grader's own (source: its guide)."""
    messages = messages_of(row, found)
    if messages is None:
        return
    talk = check_messages(messages, check_tools(row, found, limits), found, limits)
    if not talk.roles or talk.roles[-1] != "user":
        found.setdefault("last_not_user", "")


def check_pair(row: dict[str, Any], found: Found, limits: Limits = STANDARD) -> None:
    """A prompt/completion row, for the bases that still take them (source: legacy guide)."""
    if not isinstance(row.get("prompt"), str) or not isinstance(row.get("completion"), str):
        found.setdefault("invalid_pair", "")
    if extra := row.keys() - {"prompt", "completion"}:
        found.setdefault("unknown_key", excerpt(min(extra)))

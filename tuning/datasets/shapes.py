"""Which format a row is in, and which training method a file is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, cast

Shape = Literal[
    "chat",
    "reinforcement",
    "dpo",
    "legacy",
    "sharegpt",
    "alpaca",
    "trl_preference",
    "batch_api",
    "gemini",
    "text",
    "unknown",
]
Method = Literal["supervised", "dpo", "reinforcement"]

METHODS: dict[str, Method] = {
    "chat": "supervised",
    "legacy": "supervised",
    "dpo": "dpo",
    "reinforcement": "reinforcement",
}
FOREIGN: frozenset[str] = frozenset(
    {"legacy", "sharegpt", "alpaca", "trl_preference", "batch_api", "gemini", "text"}
)
CHAT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})


def shape_of(row: dict[str, Any]) -> Shape:
    """The format of one row, by its keys alone (and by its roles, for reinforcement rows)."""
    if "messages" in row:
        return "reinforcement" if _is_reinforcement(row) else "chat"
    keys = row.keys()
    if "preferred_output" in keys or "non_preferred_output" in keys:
        return "dpo"
    if "prompt" in keys and "completion" in keys:
        return "legacy"
    if "conversations" in keys or "conversation" in keys:
        return "sharegpt"
    if {"chosen", "rejected"} <= keys or {"chosen_messages", "rejected_messages"} <= keys:
        return "trl_preference"
    if "instruction" in keys and ("output" in keys or "response" in keys):
        return "alpaca"
    return _rarer_shape(row)


def _rarer_shape(row: dict[str, Any]) -> Shape:
    if "custom_id" in row and ("body" in row or "url" in row):
        return "batch_api"
    if isinstance(row.get("contents"), list):
        return "gemini"
    if row.keys() == {"text"}:
        return "text"
    return "unknown"


def _is_reinforcement(row: dict[str, Any]) -> bool:
    """Columns for a grader beside ``messages``, and no reply of the assistant at the end."""
    return bool(row.keys() - CHAT_KEYS) and ends_with_user(row["messages"])


def ends_with_user(messages: Any) -> bool:
    """Whether the last message is the user's: what a model answers by itself in reinforcement."""
    last: Any = cast("list[Any]", messages)[-1] if isinstance(messages, list) and messages else None
    return isinstance(last, dict) and cast("dict[str, Any]", last).get("role") == "user"


def main_shape(shapes: Iterable[Shape]) -> Shape:
    """The format most rows are in; rows of no known format only count when nothing else is there."""
    counts = Counter(shapes)
    known: list[Shape] = [shape for shape in counts if shape != "unknown"]
    return max(known, key=lambda shape: counts[shape]) if known else "unknown"


def system_prompt(messages: Any) -> str | None:
    """The text of a first message from the system or developer."""
    first: Any = cast("list[Any]", messages)[0] if isinstance(messages, list) and messages else None
    if not isinstance(first, dict):
        return None
    message = cast("dict[str, Any]", first)
    content = message.get("content")
    return content if message.get("role") in ("system", "developer") and isinstance(content, str) else None

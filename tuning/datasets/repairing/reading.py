"""Rows read as a format that a person chose: what the keys mean is then no guess of ours.

Told apart from :mod:`conversions`, which changes only what names itself. Columns that the format does not
have are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import orjson

from tuning.datasets.repairing.conversions import Row, alpaca, preference, replies, sharegpt, trl

TURNS = (
    "messages",
    "conversations",
    "conversation",
    "dialogue",
    "dialog",
    "chat",
    "turns",
    "history",
    "contents",
)
PROMPTS = ("prompt", "question", "query", "instruction", "input", "user", "source", "ask")
COMPLETIONS = ("completion", "answer", "response", "output", "assistant", "reply", "target")
SYSTEMS = ("system", "system_prompt")
CHOSEN = ("chosen", "preferred", "accepted", "chosen_messages")
REJECTED = ("rejected", "non_preferred", "refused", "rejected_messages")
NAMES = frozenset((*TURNS, *PROMPTS, *COMPLETIONS, *CHOSEN, *REJECTED))
"""Column names that tell a table from other text."""
_SPEAKERS = {
    "human": "user",
    "user": "user",
    "customer": "user",
    "question": "user",
    "prompter": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "agent": "assistant",
    "ai": "assistant",
    "answer": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
}


@dataclass(frozen=True, slots=True)
class Format:
    """One format to read a file as: its name, the keys it is told by, and how a row of it becomes ours."""

    key: str
    title: str
    keys: str
    read: Callable[[Row], Row | None]


def _first(row: Row, names: tuple[str, ...]) -> Any:
    """The value under the first of these names, whatever their case."""
    by_name = {name.lower().strip(): value for name, value in row.items()}
    return next((by_name[name] for name in names if by_name.get(name) not in (None, "")), None)


def _text(row: Row, names: tuple[str, ...]) -> str | None:
    value = _first(row, names)
    return value if isinstance(value, str) else None


def _with_system(row: Row, messages: list[Row]) -> list[Row]:
    system = _text(row, SYSTEMS)
    begins = messages[0]["role"] == "system"
    return [{"role": "system", "content": system}, *messages] if system and not begins else messages


def _chat(row: Row) -> Row | None:
    turns = _first(row, TURNS)
    if isinstance(turns, str):  # a table's cell
        turns = _json(turns)
    if not isinstance(turns, list) or not turns:
        return None
    messages: list[Row] = []
    for turn in cast("list[Any]", turns):
        message = _turn(cast("Row", turn)) if isinstance(turn, dict) else None
        if message is None:
            return None
        messages.append(message)
    new: Row = {"messages": _with_system(row, messages)}
    return new | {key: row[key] for key in ("tools", "parallel_tool_calls") if row.get(key) is not None}


def _turn(turn: Row) -> Row | None:
    """One message; what is a message of ours already stays as it is."""
    if turn.get("role") in ("system", "user", "assistant", "tool") and "content" in turn:
        return turn
    speaker = _text(turn, ("role", "from", "speaker", "author", "sender"))
    said = _text(turn, ("content", "value", "text", "message", "utterance"))
    if said is None and isinstance(turn.get("parts"), list):
        said = _parts(cast("list[Any]", turn["parts"]))
    role = _SPEAKERS.get(speaker.strip().lower()) if speaker else None
    return {"role": role, "content": said} if role and said is not None else None


def _parts(parts: list[Any]) -> str | None:
    """The text of Gemini's parts; None where one is no text."""
    texts = [cast("Row", part).get("text") if isinstance(part, dict) else None for part in parts]
    return "".join(cast("list[str]", texts)) if all(isinstance(text, str) for text in texts) else None


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _pair(row: Row) -> Row | None:
    asked, answer = _text(row, PROMPTS), _text(row, COMPLETIONS)
    if asked is None or answer is None or not answer.strip():
        return None
    messages = [{"role": "user", "content": asked.strip()}, {"role": "assistant", "content": answer.strip()}]
    return {"messages": _with_system(row, messages)}


def _preference(row: Row) -> Row | None:
    if (known := trl(row)) is not None:
        return known
    asked = _text(row, PROMPTS)
    preferred, other = replies(_first(row, CHOSEN)), replies(_first(row, REJECTED))
    if asked is None or preferred is None or other is None:
        return None
    given = {"messages": _with_system(row, [{"role": "user", "content": asked}])}
    return preference(given, preferred, other)


FORMATS: dict[str, Format] = {
    one.key: one
    for one in (
        Format("chat", "Chat", "messages, turns or dialogue, each with who speaks and what", _chat),
        Format(
            "sharegpt", "ShareGPT", "conversations with from and value", lambda r: sharegpt(r) or _chat(r)
        ),
        Format("alpaca", "Alpaca", "instruction, input, output", lambda r: alpaca(r) or _pair(r)),
        Format("pairs", "Prompt and completion", "prompt or question, completion or answer", _pair),
        Format("preference", "Preference (TRL)", "prompt, chosen, rejected", _preference),
    )
}
"""The formats a person can choose, in the order of the menu."""

_BY_CODE = {
    "legacy_format": "pairs",
    "alpaca_format": "alpaca",
    "sharegpt_format": "sharegpt",
    "trl_preference_format": "preference",
    "csv_file": "pairs",
    "gemini_format": "chat",
}
RECOGNISED = frozenset(_BY_CODE)
"""Codes of files that a person can have read as a format they look like."""


def likely(codes: list[str]) -> str:
    """The format to offer first, told by what a check found."""
    return next((_BY_CODE[code] for code in codes if code in _BY_CODE), "chat")

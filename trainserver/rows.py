"""Chat rows as training and serving take them: text messages of four roles.

The same reading serves a line of a training file and the body of a chat request, so that what cannot
be trained cannot be asked either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from trainserver.errors import JobFailed, TrainserverError

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
MIN_EXAMPLES = 10
MAX_NAMED = 5


class BadMessage(TrainserverError):
    """A message that cannot be rendered; the text says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `trained` is false for what carries no loss: other roles, and `weight: 0`."""

    role: str
    content: str
    trained: bool = False

    def plain(self) -> dict[str, str]:
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Row:
    """One training example and its physical line, from 1."""

    line: int
    messages: tuple[Message, ...]


def read_message(value: Any) -> Message:
    """A message as this server can render it. Raises `BadMessage`."""
    if not isinstance(value, Mapping):
        raise BadMessage("a message must be an object")
    message = cast("Mapping[str, Any]", value)
    role = message.get("role")
    if role is None:
        raise BadMessage("'role' is missing")
    if message.get("tool_calls") or message.get("function_call") or role in ("tool", "function"):
        raise BadMessage("tool calls are not supported by this server yet")
    if role not in ROLES:
        raise BadMessage(f"role {role!r} is none of {', '.join(ROLES)}")
    weight = message.get("weight")
    if weight not in (None, 0, 1):
        raise BadMessage(f"weight must be 0 or 1, not {weight!r}")
    return Message(ROLES[role], _text(message.get("content")), trained=role == "assistant" and weight != 0)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise BadMessage("'content' must be text")
    parts: list[str] = []
    for part in cast("Sequence[Any]", content):
        text: Any = cast("Mapping[str, Any]", part).get("text") if isinstance(part, Mapping) else None
        if not isinstance(text, str):
            raise BadMessage("'content' may have text parts only")
        parts.append(text)
    return "".join(parts)


def _row(number: int, line: bytes) -> Row:
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise BadMessage(f"line contains invalid JSON: {error}") from error
    if not isinstance(value, Mapping):
        raise BadMessage("a line must hold one JSON object")
    row = cast("Mapping[str, Any]", value)
    listed = row.get("messages")
    if not isinstance(listed, list) or not listed:
        raise BadMessage("is missing key 'messages'")
    if row.get("tools") or row.get("functions"):
        raise BadMessage("tools are not supported by this server yet")
    messages = tuple(read_message(message) for message in cast("list[Any]", listed))
    if not any(message.trained for message in messages):
        raise BadMessage("has no assistant message to learn from")
    return Row(number, messages)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if line.strip():
                yield number, line


def read_rows(path: Path, param: str, *, at_least: int = MIN_EXAMPLES) -> list[Row]:
    """All rows of an uploaded file.

    Raises `JobFailed` naming the first lines that cannot be used, or the number of examples when there
    are fewer than `at_least` (10 is OpenAI's minimum for training; a validation file needs one).
    """
    rows: list[Row] = []
    problems: list[str] = []
    bad = 0
    for number, line in _lines(path):
        try:
            rows.append(_row(number, line))
        except BadMessage as error:
            bad += 1
            if len(problems) < MAX_NAMED:
                problems.append(f"line {number}: {error}")
    kind = param.removesuffix("_file")
    if problems:
        more = f" (and {bad - MAX_NAMED} more lines)" if bad > MAX_NAMED else ""
        raise JobFailed(
            f"invalid_{param}",
            f"The job failed due to an invalid {kind} file. {'; '.join(problems)}{more}",
            param,
        )
    if len(rows) < at_least:
        raise JobFailed(
            "invalid_n_examples",
            f"{kind.capitalize()} file has {len(rows)} example(s),"
            f" but must have at least {at_least} examples",
            param,
        )
    return rows

"""Rows of a training file: a conversation, or a preference between two answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from trainserver.errors import JobFailed
from trainserver.messages import (
    BadMessage,
    Message,
    Tool,
    check_calls,
    read_message,
    read_tools,
    untrained,
)

__all__ = ["BadMessage", "Message", "Row", "check_calls", "read_message", "read_rows", "read_tools"]
MIN_EXAMPLES = 10
MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One training example and its physical line, from 1.

    `rejected` holds the messages with the non-preferred answer; a row to be imitated has none.
    """

    line: int
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    rejected: tuple[Message, ...] | None = None

    @property
    def conversations(self) -> tuple[tuple[Message, ...], ...]:
        """The conversations that are rendered for this row."""
        return (self.messages,) if self.rejected is None else (self.messages, self.rejected)


def _messages(row: Mapping[str, Any], key: str) -> tuple[Message, ...]:
    listed = row.get(key)
    if not isinstance(listed, list) or not listed:
        raise BadMessage(f"is missing key '{key}'")
    return tuple(read_message(message) for message in cast("list[Any]", listed))


def _supervised(line: int, row: Mapping[str, Any]) -> Row:
    messages = _messages(row, "messages")
    if not any(message.trained for message in messages):
        raise BadMessage("has no assistant message to learn from")
    check_calls(messages)
    return Row(line, messages, read_tools(row.get("tools"), row.get("functions")))


def _preference(line: int, row: Mapping[str, Any]) -> Row:
    given = row.get("input")
    if not isinstance(given, Mapping):
        raise BadMessage("is missing key 'input'")
    asked = cast("Mapping[str, Any]", given)
    prompt = tuple(untrained(message) for message in _messages(asked, "messages"))
    both: list[tuple[Message, ...]] = []
    for key in ("preferred_output", "non_preferred_output"):
        answer = _messages(row, key)
        if not any(message.trained for message in answer):
            raise BadMessage(f"'{key}' has no assistant message")
        check_calls((*prompt, *answer))
        both.append((*prompt, *answer))
    if both[0] == both[1]:
        raise BadMessage("'preferred_output' and 'non_preferred_output' are the same")
    return Row(line, both[0], read_tools(asked.get("tools")), both[1])


def _row(number: int, line: bytes, method: str) -> Row:
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise BadMessage(f"line contains invalid JSON: {error}") from error
    if not isinstance(value, Mapping):
        raise BadMessage("a line must hold one JSON object")
    row = cast("Mapping[str, Any]", value)
    return _preference(number, row) if method == "dpo" else _supervised(number, row)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if line.strip():
                yield number, line


def read_rows(
    path: Path, param: str, *, method: str = "supervised", at_least: int = MIN_EXAMPLES
) -> list[Row]:
    """All rows of an uploaded file.

    Raises `JobFailed` naming the first lines that cannot be used, or the number of examples when there
    are fewer than `at_least` (10 is OpenAI's minimum for training; a validation file needs one).
    """
    rows: list[Row] = []
    problems: list[str] = []
    bad = 0
    for number, line in _lines(path):
        try:
            rows.append(_row(number, line, method))
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

"""What a dataset's rows have in common: system prompt, tools, and rows that repeat."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, cast

import orjson

_KEPT = 2_000
"""System prompts kept to find the most common one; a file with more than that has no common one."""


def digest(canonical: bytes) -> bytes:
    """8 bytes that stand for a row: two rows of a million share one once in 40 million files."""
    return hashlib.blake2b(canonical, digest_size=8).digest()


class Traits:
    """Sees every row once; memory is 8 bytes a row beside a few prompts."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._prompts: Counter[str] = Counter()
        self._different: set[bytes] = set()
        self._tools: bytes | None = None
        self._first = True
        self._tools_differ = False

    def repeats(self, canonical: bytes) -> bool:
        """True when an equal row was seen before."""
        key = digest(canonical)
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def see(self, row: dict[str, Any]) -> None:
        """Note the system prompt and the tools of a row."""
        given: Any = row["input"] if isinstance(row.get("input"), dict) else row
        prompt = _system_prompt(given.get("messages"))
        if prompt is not None:
            self._different.add(digest(prompt.encode("utf-8")))
            if prompt in self._prompts or len(self._prompts) < _KEPT:
                self._prompts[prompt] += 1
        tools = orjson.dumps(given["tools"]) if given.get("tools") else None
        self._tools_differ = self._tools_differ or (not self._first and tools != self._tools)
        self._tools = tools
        self._first = False

    @property
    def multi_system(self) -> int:
        """How many different system prompts there are."""
        return len(self._different)

    def system_prompt(self) -> str | None:
        """The most common system prompt."""
        return self._prompts.most_common(1)[0][0] if self._prompts else None

    def shared_tools(self) -> list[Any] | None:
        """The tools of all rows when every row has the same."""
        if self._tools is None or self._tools_differ:
            return None
        tools = orjson.loads(self._tools)
        return cast("list[Any]", tools) if isinstance(tools, list) else None


def _system_prompt(messages: Any) -> str | None:
    first: Any = cast("list[Any]", messages)[0] if isinstance(messages, list) and messages else None
    if not isinstance(first, dict):
        return None
    message = cast("dict[str, Any]", first)
    content = message.get("content")
    return content if message.get("role") in ("system", "developer") and isinstance(content, str) else None

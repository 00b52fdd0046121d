"""What a dataset's rows have in common: system prompt and tools."""

from __future__ import annotations

import hashlib
from array import array
from typing import Any, cast

import orjson

from tuning.datasets.repeats import Repeats
from tuning.datasets.scanning import Part

_KEPT = 2_000
"""System prompts kept to find the most common one; of files with more, the first ones stand for all."""
_KEPT_LETTERS = 4_000_000


class Traits:
    """Sees every part once; memory is some kept prompts, and the number of others goes to disk."""

    def __init__(self) -> None:
        self._prompts: dict[str, int] = {}
        self._letters = 0
        self._others = Repeats()
        self._tools: bytes | None = None
        self._first = True
        self._tools_differ = False

    def see(self, part: Part) -> None:
        """Note the system prompts and the tools of the next part."""
        others = array("Q")
        for prompt, count in part.prompts.items():
            if prompt in self._prompts:
                self._prompts[prompt] += count
            elif len(self._prompts) < _KEPT and self._letters + len(prompt) <= _KEPT_LETTERS:
                self._prompts[prompt] = count
                self._letters += len(prompt)
            else:
                others.append(int.from_bytes(digest(prompt.encode())))
        self._others.extend(others, others)
        if part.examples:
            differ = part.tools_differ or (not self._first and part.tools != self._tools)
            self._tools_differ = self._tools_differ or differ
            self._tools = part.tools
            self._first = False

    def multi_system(self) -> int:
        """How many different system prompts there are; to be called once."""
        return len(self._prompts) + self._others.taken - sum(1 for _ in self._others.find())

    def system_prompt(self) -> str | None:
        """The most common system prompt."""
        return max(self._prompts, key=self._prompts.__getitem__) if self._prompts else None

    def shared_tools(self) -> list[Any] | None:
        """The tools of all rows when every row has the same."""
        if self._tools is None or self._tools_differ:
            return None
        tools = orjson.loads(self._tools)
        return cast("list[Any]", tools) if isinstance(tools, list) else None


def digest(data: bytes) -> bytes:
    """8 bytes that stand for ``data``, the same in every process and version."""
    return hashlib.blake2b(data, digest_size=8).digest()

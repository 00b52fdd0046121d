"""What a row puts on the scale, before any tokenizer: its texts, and the tokens that are no text.

Overhead of a chat example: 3 tokens a message, 1 for a name, 3 an example, and every text value counted
(openai-cookbook, Chat_finetuning_data_prep). Tool definitions: openai-cookbook, How to count tokens with
tiktoken.
"""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import Any, cast

import msgspec
import numpy as np
import orjson

from tuning.datasets.quick import Plain
from tuning.datasets.swept import SeenRows, roles_of

PER_MESSAGE = 3
PER_NAME = 1
PER_EXAMPLE = 3
LOW_DETAIL_IMAGE = 85
"""Flat price of an image at low detail; other details depend on a size that is not looked up."""


class Load(msgspec.Struct):
    """The texts of many rows, ready for a tokenizer. Arrays hold 64-bit numbers, one entry a row."""

    blob: bytes
    """The texts that rows have for themselves, with a NUL between any two."""
    ends: bytes
    """How many of those texts there are up to the end of each row."""
    lines: bytes
    extra: bytes
    group: bytes
    """Index into ``groups``: the texts a row shares with others, as roles and system prompts."""
    groups: list[tuple[str, ...]]
    odd: list[tuple[int, str]]
    """Row and text of what does not fit into the blob: texts with a NUL or a control token."""
    exact: bool


class Scale:
    """Takes rows and packs their texts."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._ends, self._lines, self._extra, self._group = array("Q"), array("Q"), array("q"), array("Q")
        self._groups: dict[tuple[str, ...], int] = {}
        self._skips: dict[tuple[tuple[str, ...], str | None], tuple[int, int]] = {}
        self._known: dict[tuple[int, str | None], int] = {}
        self._odd: list[tuple[int, str]] = []
        self._texts = 0
        self._exact = True

    def add_plain(self, line: int, plain: Plain, prompt: str | None) -> None:
        """Take a row that went the quick way; its bytes lie there joined already."""
        roles, texts, joined, _ = plain
        known = self._skips.get((roles, prompt))
        if known is None:
            shared = roles if prompt is None else (*roles, prompt)
            group = self._groups.setdefault(shared, len(self._groups))
            known = self._skips[roles, prompt] = group, len("\0".join(shared).encode()) + 1
        group, skip = known
        self._pieces.append(joined[skip:])
        self._texts += len(texts) - (prompt is not None)
        self._close(line, PER_EXAMPLE + PER_MESSAGE * len(roles), group)

    def add_swept(self, before: int, seen: SeenRows, rows: slice) -> None:
        """Take plain rows that were swept, which follow one another after ``before`` lines."""
        blob, texts, messages = seen.blob(rows)
        self._pieces.append(blob)
        ends = self._texts + np.cumsum(texts)
        self._texts = int(ends[-1])
        self._ends.frombytes(ends.tobytes())
        self._lines.extend(range(before + 1, before + len(texts) + 1))
        self._extra.frombytes((PER_EXAMPLE + PER_MESSAGE * messages).tobytes())
        keys = list(zip(seen.swept.roles[rows], seen.shared[rows], strict=True))
        for roles, prompt in set(keys).difference(self._known):
            shared = roles_of(roles) if prompt is None else (*roles_of(roles), prompt)
            self._known[roles, prompt] = self._groups.setdefault(shared, len(self._groups))
        self._group.extend(map(self._known.__getitem__, keys))

    def add(self, line: int, row: dict[str, Any], prompt: str | None) -> None:
        """Take any row."""
        weighed = weigh(row)
        self._exact = self._exact and weighed.exact
        for text in weighed.texts:
            if text is prompt:
                weighed.shared.append(text)
            elif "\0" in text or "<|" in text:
                self._odd.append((len(self._lines), text))
            else:
                self._pieces.append(text.encode())
                self._texts += 1
        self._close(line, weighed.extra, self._groups.setdefault(tuple(weighed.shared), len(self._groups)))

    def _close(self, line: int, extra: int, group: int) -> None:
        self._ends.append(self._texts)
        self._lines.append(line)
        self._extra.append(extra)
        self._group.append(group)

    def load(self) -> Load:
        """Everything taken so far."""
        return Load(
            b"\0".join(self._pieces),
            self._ends.tobytes(),
            self._lines.tobytes(),
            self._extra.tobytes(),
            self._group.tobytes(),
            list(self._groups),
            self._odd,
            self._exact,
        )


class Weighed:
    """What a row puts on the scale: texts to count and tokens that are no text.

    ``shared`` are texts that other rows are likely to have too: roles and the definitions of tools.
    """

    __slots__ = ("exact", "extra", "shared", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.shared: list[str] = []
        self.extra = PER_EXAMPLE
        self.exact = True


def weigh(row: dict[str, Any]) -> Weighed:
    """The texts and overhead of a row of any supported method; fields of a wrong type weigh nothing."""
    weighed = Weighed()
    given: Any = row.get("input") if isinstance(row.get("input"), dict) else row
    for messages in (given.get("messages"), row.get("preferred_output"), row.get("non_preferred_output")):
        if isinstance(messages, list):
            for message in cast("list[Any]", messages):
                if isinstance(message, dict):
                    _weigh_message(cast("dict[str, Any]", message), weighed)
    for key in ("prompt", "completion"):
        if isinstance(row.get(key), str):
            weighed.texts.append(row[key])
    for key in ("tools", "functions"):
        if isinstance(given.get(key), list):
            _weigh_tools(cast("list[Any]", given[key]), weighed)
    return weighed


def _weigh_message(message: dict[str, Any], weighed: Weighed) -> None:
    weighed.extra += PER_MESSAGE
    for key, value in message.items():
        if isinstance(value, str):
            (weighed.shared if key == "role" else weighed.texts).append(value)
            if key == "name":
                weighed.extra += PER_NAME
        elif key == "content" and isinstance(value, list):
            _weigh_parts(cast("list[Any]", value), weighed)
        elif key in ("tool_calls", "function_call") and value:
            _weigh_calls(value, weighed)


def _weigh_parts(parts: list[Any], weighed: Weighed) -> None:
    for part in parts:
        if not isinstance(part, dict):
            continue
        fields = cast("dict[str, Any]", part)
        if isinstance(fields.get("text"), str):
            weighed.texts.append(fields["text"])
        elif isinstance(fields.get("image_url"), dict):
            weighed.extra += LOW_DETAIL_IMAGE
            weighed.exact = weighed.exact and fields["image_url"].get("detail") == "low"


def _weigh_calls(value: Any, weighed: Weighed) -> None:
    """Name and arguments of each call; the rest of a call is not text the model writes."""
    for call in cast("list[Any]", value if isinstance(value, list) else [{"function": value}]):
        function = cast("dict[str, Any]", call).get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            fields = cast("dict[str, Any]", function)
            weighed.texts += [
                text for text in (fields.get("name"), fields.get("arguments")) if isinstance(text, str)
            ]


# Tokens of a tool definition beside its text, for the gpt-4o family (the cookbook's figures).
_FUNCTION, _PROPERTIES, _PROPERTY, _ENUM, _ENUM_ITEM, _END = 7, 3, 3, -3, 3, 12


def _weigh_tools(tools: list[Any], weighed: Weighed) -> None:
    extra, texts = _tool_weight(orjson.dumps(tools))
    weighed.extra += extra
    weighed.shared += texts


@lru_cache(maxsize=256)
def _tool_weight(canonical: bytes) -> tuple[int, tuple[str, ...]]:
    extra, texts = 0, list[str]()
    tools = cast("list[Any]", orjson.loads(canonical))
    for tool in tools:
        given = cast("dict[str, Any]", tool) if isinstance(tool, dict) else {}
        function: Any = given.get("function", given)
        if not isinstance(function, dict):
            continue
        fields = cast("dict[str, Any]", function)
        extra += _FUNCTION
        texts.append(f"{fields.get('name')}:{_sentence(fields.get('description'))}")
        parameters: Any = fields.get("parameters")
        properties = (
            cast("dict[str, Any]", parameters).get("properties") if isinstance(parameters, dict) else None
        )
        if isinstance(properties, dict) and properties:
            extra += _PROPERTIES + _weigh_properties(cast("dict[str, Any]", properties), texts)
    return (extra + _END if tools else 0), tuple(texts)


def _weigh_properties(properties: dict[str, Any], texts: list[str]) -> int:
    extra = 0
    for name, schema in properties.items():
        fields = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
        extra += _PROPERTY
        choices = fields.get("enum")
        if isinstance(choices, list):
            items = cast("list[Any]", choices)
            extra += _ENUM + _ENUM_ITEM * len(items)
            texts += [str(item) for item in items]
        texts.append(f"{name}:{fields.get('type', '')}:{_sentence(fields.get('description'))}")
    return extra


def _sentence(text: Any) -> str:
    return text.removesuffix(".") if isinstance(text, str) else ""

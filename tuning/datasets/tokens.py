"""Tokens per example, exact for the base's encoding and offline.

Overhead of a chat example: 3 tokens a message, 1 for a name, 3 an example, and every text value counted
(openai-cookbook, Chat_finetuning_data_prep). Tool definitions: openai-cookbook, How to count tokens with
tiktoken. The vocabularies are those compiled into splintr; control tokens count as plain text.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

import orjson
import splintr

from tuning.datasets.report import Tokens

ENCODINGS = frozenset({"o200k_base", "cl100k_base"})
DEFAULT_ENCODING = "o200k_base"
PER_MESSAGE = 3
PER_NAME = 1
PER_EXAMPLE = 3
LOW_DETAIL_IMAGE = 85
"""Flat price of an image at low detail; other details depend on a size that is not looked up."""

_CACHED_LENGTH = 4_096
_CACHED_TEXTS = 20_000
_BATCH = 1 << 18


@lru_cache(maxsize=4)
def _load(encoding: str) -> splintr.AnyTokenizer:
    return splintr.Tokenizer.from_pretrained(encoding)


class Weighed:
    """What a row puts on the scale: texts to count and tokens that are no text."""

    __slots__ = ("exact", "extra", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
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
            weighed.texts.append(value)
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
    weighed.texts += texts


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


class TokenCounter:
    """Counts rows in batches; :meth:`add` gives back the rows whose count is known by then."""

    def __init__(self, encoding: str) -> None:
        self._tokenizer = _load(encoding)
        self._known: dict[str, int] = {}
        self._waiting: list[tuple[int, Weighed]] = []
        self._size = 0
        self.counts = array("Q")
        self.exact = True

    def add(self, line: int, row: dict[str, Any]) -> Iterable[tuple[int, int]]:
        """Take a row; yields ``(line, tokens)`` whenever a batch is full."""
        weighed = weigh(row)
        self.exact = self.exact and weighed.exact
        self._waiting.append((line, weighed))
        self._size += sum(map(len, weighed.texts)) + 64
        return self.flush() if self._size > _BATCH else ()

    def flush(self) -> list[tuple[int, int]]:
        """Count what still waits."""
        self._learn({text for _, weighed in self._waiting for text in weighed.texts} - self._known.keys())
        known = self._known
        counted = [(line, w.extra + sum(known[text] for text in w.texts)) for line, w in self._waiting]
        self.counts.extend(tokens for _, tokens in counted)
        self._waiting.clear()
        self._size = 0
        self._forget()
        return counted

    def _learn(self, texts: set[str]) -> None:
        plain = [text for text in texts if "<|" not in text]
        for text, ids in zip(plain, self._tokenizer.encode_batch(plain), strict=True):
            self._known[text] = len(ids)
        for text in texts.difference(plain):
            self._known[text] = len(self._tokenizer.encode_ordinary(text))

    def _forget(self) -> None:
        if len(self._known) > _CACHED_TEXTS:
            self._known.clear()
        else:
            self._known = {text: n for text, n in self._known.items() if len(text) <= _CACHED_LENGTH}

    def summary(self, encoding: str, limit: int | None, exact: bool) -> Tokens | None:
        """Total, median, 95th percentile (nearest rank) and maximum of what was counted, None for nothing."""
        if not self.counts:
            return None
        ordered = sorted(self.counts)
        size = len(ordered)
        over = sum(tokens > limit for tokens in ordered) if limit is not None else 0
        return Tokens(
            total=sum(ordered),
            median=ordered[(size - 1) // 2],
            p95=ordered[-(-size * 95 // 100) - 1],
            max=ordered[-1],
            over_limit=over,
            limit=limit,
            encoding=encoding,
            exact=exact and self.exact,
        )

    def billed(self, limit: int | None) -> int:
        """Tokens of one epoch, each example cut at ``limit``."""
        return sum(self.counts) if limit is None else sum(min(limit, tokens) for tokens in self.counts)

"""Walks the texts of a row: whatever its format, every string, key and long number in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import orjson

from tuning.datasets.privacy.finding import Hit, scan

Change = Callable[[bytes, list[Hit]], bytes]
"""Gets a text and what was found in it; answers the text to stand there."""

_LONG_NUMBER = 10**7
_IMAGE = ("data:image/", "data:application/", "data:audio/")


def walk(value: Any, change: Change, depth: int = 0) -> Any:
    """``value`` with every text that holds something private put through ``change``.

    The very same object comes back when nothing was found. JSON inside a text (the arguments of a tool
    call) stays JSON. Nested deeper than 200, a value is handled as the one text it is written as.
    """
    if isinstance(value, str):
        return _text(value, change, depth)
    if isinstance(value, dict):
        return _object(cast("dict[str, Any]", value), change, depth)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if depth > 200:
            return _text(orjson.dumps(items).decode(), change, depth)
        new = [walk(item, change, depth + 1) for item in items]
        return new if any(a is not b for a, b in zip(items, new, strict=True)) else items
    if isinstance(value, int | float) and abs(value) >= _LONG_NUMBER and not isinstance(value, bool):
        return _number(value, change)
    return value


def _object(fields: dict[str, Any], change: Change, depth: int) -> Any:
    if depth > 200:
        return _text(orjson.dumps(fields).decode(), change, depth)
    new = {_text(key, change, 1_000): walk(item, change, depth + 1) for key, item in fields.items()}
    same = len(new) == len(fields) and all(
        a == b and fields[a] is new[b] for a, b in zip(fields, new, strict=True)
    )
    return fields if same else new


def _text(text: str, change: Change, depth: int) -> str:
    if len(text) < 6 or text.startswith(_IMAGE):
        return text
    if text[0] in "{[" and depth < 200 and (inner := _inner(text)) is not None:
        new = walk(inner, change, depth + 1)
        return text if new is inner else orjson.dumps(new).decode()
    data = text.encode("utf-8")
    hits = scan(data)
    return change(data, hits).decode("utf-8") if hits else text


def _inner(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _number(value: float, change: Change) -> Any:
    data = str(value).encode() if isinstance(value, int) else repr(value).encode()
    hits = scan(data)
    return change(data, hits).decode() if hits else value

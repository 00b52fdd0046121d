"""The quick way through a check: plain chat rows that no rule has anything to say about.

Most files are made of ``{"messages": [{"role": …, "content": …}, …]}`` and most rows are fine. Such a row
is decoded straight into records, which checks its structure on the way. :func:`look` answers only when
every rule is certain to be content; whatever else a row holds, it goes the thorough way. So the quick way
never finds anything, and tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal, cast

import msgspec
import orjson
import xxhash

from tuning.datasets.chat import check_supervised
from tuning.datasets.parsing import LARGE, Found

PLAIN_ROLES = frozenset({"system", "user", "assistant"})
PLAIN_MESSAGES = 64
_PLAIN_KEYS = {"role", "content"}


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "user", "assistant"]
    content: str


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: list[_Message]


Plain = tuple[tuple[str, ...], list[str], bytes, int]
"""A plain row: its roles, its texts, both as bytes with a NUL between any two, and its fingerprint."""

_decode = msgspec.json.Decoder(_Row).decode
_fingerprint = xxhash.xxh3_64_intdigest


def look(line: bytes) -> Plain | None:
    """The row in ``line`` if it is plain and without a problem, else None. Never raises for any bytes."""
    if len(line) > LARGE:
        return None
    try:
        messages = _decode(line).messages
    except (msgspec.MsgspecError, UnicodeError):
        return None
    if len(messages) > PLAIN_MESSAGES:
        return None
    roles = tuple([message.role for message in messages])
    quotes = _quotes(roles)
    texts = [message.content for message in messages]
    for content in texts:
        if "\0" in content or not content or content.isspace():
            return None
    text = "\0".join((*roles, *texts))
    if "|" in text and "<|" in text:
        return None
    if not text.isascii() and ("\u2028" in text or "\u2029" in text or "\x85" in text):
        return None
    try:
        joined = text.encode()
    except UnicodeEncodeError:
        return None
    if '"' in text:
        quotes += joined.count(b'"')
    return (roles, texts, joined, _print_of(roles, texts)) if line.count(b'"') == quotes else None


@lru_cache(maxsize=4096)
def _quotes(roles: tuple[str, ...]) -> int:
    """Quotes in a row with these roles beside those in its texts; below zero if a rule is not content.

    A key that stands twice shows in the quotes: two belong to ``messages``, eight to each message. What
    the rules say about the roles is asked of the rules themselves.
    """
    found: Found = {}
    check_supervised({"messages": [{"role": role, "content": "text"} for role in roles]}, found)
    return -(1 << 40) if found else 2 + 8 * len(roles)


def are_fine(roles: tuple[str, ...]) -> bool:
    """True when no rule has anything to say about messages with these roles."""
    return _quotes(roles) >= 0


def fingerprint(row: dict[str, Any], canonical: bytes) -> int:
    """64 bits that stand for a row, whatever its spelling; for a plain row those of :func:`look`.

    Two of five million different rows share one in about one of 1.5 million files.
    """
    messages = row.get("messages")
    if len(row) == 1 and isinstance(messages, list):
        items = cast("list[Any]", messages)
        if 0 < len(items) <= PLAIN_MESSAGES and all(map(_is_plain, items)):
            return _print_of([item["role"] for item in items], [item["content"] for item in items])
    return _fingerprint(canonical)


def _print_of(roles: Iterable[str], texts: Iterable[str]) -> int:
    return _fingerprint(spelled(roles, [orjson.dumps(text)[1:-1] for text in texts]))


def spelled(roles: Iterable[str], texts: Iterable[bytes]) -> bytes:
    """A plain row as ``json.dumps(row, ensure_ascii=False)`` writes it; so are its ``texts`` already."""
    messages = [
        b'{"role": "%b", "content": "%b"}' % (role.encode(), text)
        for role, text in zip(roles, texts, strict=True)
    ]
    return b'{"messages": [' + b", ".join(messages) + b"]}"


def _is_plain(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    fields = cast("dict[str, Any]", message)
    role = fields.get("role")
    return (
        fields.keys() == _PLAIN_KEYS
        and isinstance(role, str)
        and role in PLAIN_ROLES
        and isinstance(fields["content"], str)
    )

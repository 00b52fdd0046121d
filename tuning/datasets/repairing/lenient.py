"""Reads what is nearly JSON: trailing commas, curly or single quotes, Python's words, tuples, comments.

One linear pass over tokens. What is within quotes is never changed, only written the JSON way.
"""

from __future__ import annotations

import ast
import re

import orjson

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
    |(?P<double>"(?:[^"\\]|\\.)*")
    |(?P<single>'(?:[^'\\]|\\.)*')
    |(?P<curly>[“”„](?:[^“”\\]|\\.)*[“”]|[‘’](?:[^‘’\\]|\\.)*[‘’])
    |(?P<comment>//[^\n]*|\#[^\n]*|/\*.*?\*/)
    |(?P<mark>[{}\[\](),:])
    |(?P<word>[A-Za-z0-9_.+-]+)
    """,
    re.X | re.S,
)
_WORDS = {"None": "null", "True": "true", "False": "false"}
_TUPLE = {"(": "[", ")": "]"}


class _Notes:
    """What had to be put right: words for the change."""

    def __init__(self) -> None:
        self.kinds: dict[str, None] = {}

    def add(self, kind: str) -> None:
        self.kinds[kind] = None


def to_json(text: str) -> tuple[bytes, str] | None:
    """``text`` as JSON bytes and what was changed, in words; None when it is not nearly JSON."""
    notes = _Notes()
    out: list[str] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            return None
        piece = _piece(match, notes)
        if piece is None:
            return None
        if piece in ("}", "]") and out and out[-1] == ",":
            out.pop()
            notes.add("a comma before a closing bracket")
        if piece:
            out.append(piece)
        place = match.end()
    if out and out[-1] == ",":
        out.pop()
        notes.add("a comma after the row")
    data = "".join(out).encode("utf-8", "surrogatepass")
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return data, " and ".join(notes.kinds)


def _piece(match: re.Match[str], notes: _Notes) -> str | None:
    kind, token = match.lastgroup, match[0]
    if kind == "space":
        return ""
    if kind == "comment":
        notes.add("a comment")
        return ""
    if kind == "mark":
        if token in _TUPLE:
            notes.add("Python's notation")
        return _TUPLE.get(token, token)
    if kind == "word":
        if token in _WORDS:
            notes.add("Python's notation")
        return _WORDS.get(token, token)
    if kind == "double":
        return _double(token, notes)
    notes.add("single quotes" if kind == "single" else "curly quotes")
    return _python_string(token) if kind == "single" else _quoted(token[1:-1])


def _double(token: str, notes: _Notes) -> str | None:
    try:
        orjson.loads(token.encode("utf-8", "replace"))
    except orjson.JSONDecodeError:
        notes.add("a raw tab or an escape JSON does not have")
        return _python_string(token)
    return token


def _python_string(token: str) -> str | None:
    """A Python string literal as JSON; raw line breaks in it stay what they are."""
    plain = token.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    if "\0" in plain or re.search(r"\\(?![\\'\"abfnrtvx0-7NuU/])", plain):
        return None
    try:
        value = ast.literal_eval(plain.replace("\\/", "/"))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return _dumped(value) if isinstance(value, str) else None


def _quoted(inner: str) -> str | None:
    """What stands between curly quotes, with JSON's escapes; plain quotes in it are text."""
    escaped = re.sub(r'\\.|"', lambda match: match[0] if match[0] != '"' else '\\"', inner, flags=re.S)
    return '"' + escaped.replace("\n", "\\n").replace("\t", "\\t") + '"'


def _dumped(value: str) -> str | None:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # half a character
        return None

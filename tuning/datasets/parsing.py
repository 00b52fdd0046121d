"""One line of bytes to a JSON value, or to a reason in plain words.

The quick way is orjson; the ``json`` module is the slow way that explains errors, with positions, and
finds the keys that stand twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from tuning.datasets.excerpts import excerpt

Found = dict[str, str]
"""What is wrong with one row: code of the rule to a short detail of the first place ("" if none)."""

LARGE = 1 << 20
MAX_CONTAINERS = 500_000
MAX_VALUES = 4_000_000
_SEPARATORS = (b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85")


@dataclass(slots=True)
class Parsed:
    """``value`` is the JSON value (None with an error); ``canonical`` its sorted compact bytes."""

    value: Any = None
    canonical: bytes = b""
    found: Found = field(default_factory=dict[str, str])
    ok: bool = True


def parse_line(data: bytes) -> Parsed:
    """Parse one line without its ending. Never raises for any bytes."""
    if len(data) > LARGE and _too_many_values(data):
        return _failed("row_too_large", f"{len(data) / 1e6:,.0f} MB with very many values")
    try:
        value = orjson.loads(data)
        canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:
        return _explain(data)
    except TypeError:  # orjson's word for nesting past its limit when writing
        return _failed("too_deep")
    parsed = Parsed(value, canonical)
    if data.count(b'"') != canonical.count(b'"') or b"\\u0022" in data:
        _note_duplicate_keys(data, parsed.found)
    if b"\\u0000" in canonical:
        parsed.found["nul_character"] = ""
    if not canonical.isascii() and any(mark in canonical for mark in _SEPARATORS):
        parsed.found["unicode_line_separator"] = ""
    return parsed


def _failed(code: str, detail: str = "") -> Parsed:
    return Parsed(found={code: detail}, ok=False)


def _too_many_values(data: bytes) -> bool:
    """True for a line that would fill the memory: a million messages, millions of numbers."""
    return data.count(b"{") + data.count(b"[") > MAX_CONTAINERS or data.count(b",") > MAX_VALUES


def _note_duplicate_keys(data: bytes, found: Found) -> None:
    def pairs(items: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in items:
            if key in seen:
                found.setdefault("duplicate_key", excerpt(key))
            seen.add(key)

    try:
        json.loads(data, object_pairs_hook=pairs)
    except (RecursionError, ValueError):
        return  # deeper than the slow parser goes, or a number only orjson reads: not about keys


def _explain(data: bytes) -> Parsed:
    """Why orjson refused ``data``, in words."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _failed("invalid_utf8", _utf8_words(data, error))
    if "\0" in text:
        return _failed("nul_byte", f"byte {data.index(0) + 1:,}")
    if text.lstrip().startswith(("//", "#", "/*")):
        return _failed("comment_line")
    constants: list[str] = []
    try:
        value = json.loads(text, parse_constant=constants.append)
    except json.JSONDecodeError as error:
        code, detail = _json_words(text, error)
        return _failed(code, detail)
    except RecursionError:
        return _failed("too_deep")
    except ValueError:  # more digits than Python turns into an integer
        return _failed("huge_number")
    if constants:
        return _failed("nan_or_infinity", excerpt(constants[0]))
    return _failed(*_why_only_orjson_refused(value))


def _why_only_orjson_refused(value: Any) -> tuple[str, str]:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError:
        return "lone_surrogate", ""
    except ValueError:
        return "huge_number", ""
    except RecursionError:
        return "too_deep", ""
    return "huge_number", ""


def _utf8_words(data: bytes, error: UnicodeDecodeError) -> str:
    bad = data[error.start]
    words = f"byte 0x{bad:02x} at position {error.start + 1:,}"
    try:
        data[error.start : error.start + 1].decode("cp1252")
    except UnicodeDecodeError:
        return words
    return f"{words}, perhaps Windows-1252" if error.reason == "invalid start byte" else words


_WORDS = (
    ("Expecting property name", "a name in double quotes is missing"),
    ("Expecting ':'", "the colon after a name is missing"),
    ("Expecting ','", 'a comma is missing, or a quote inside a text is not written as \\"'),
    ("Unterminated string", "a text is not closed; the line may be cut off"),
    ("Invalid control character", "a raw tab or line break inside a text; write \\t or \\n"),
    ("Invalid \\", "a backslash that starts no known escape; write \\\\ for a backslash"),
    ("Illegal trailing comma", "a comma before the closing bracket"),
)
_PYTHON_WORD = re.compile(r"(None|True|False)\b")


def _json_words(text: str, error: json.JSONDecodeError) -> tuple[str, str]:
    """Code and detail for a JSON error: column (1-based, in characters) and what is wrong there."""
    here = text[error.pos : error.pos + 12]
    before = text[max(0, error.pos - 60) : error.pos].rstrip()
    where = f"column {error.pos + 1:,}"
    if re.match(r"\s*\{\s*'", text):
        return "python_dict", where
    if error.pos == 0 and not here.startswith(("{", "[", '"', "'", "“")) and len(text.split()) > 1:
        return "invalid_json", "plain text, not JSON"
    if error.msg == "Extra data":
        if here.startswith("{") and text.lstrip().startswith("{"):
            return "several_objects", where
        what = "a comma" if text[error.pos :].strip() == "," else "something"
        return "invalid_json", f"{where}: {what} follows after the end of the JSON value"
    if here[:1] in ("}", "]") and before.endswith(","):
        return "invalid_json", f"{where}: comma before `{here[0]}`"
    if here[:1] in ("“", "”", "„", "‘", "’"):
        return "invalid_json", f'{where}: a curly quote {here[0]} where JSON wants "'
    if here[:1] == "'":
        return "invalid_json", f'{where}: a single quote where JSON wants "'
    if python := _PYTHON_WORD.match(here):
        json_word = {"None": "null", "True": "true", "False": "false"}[python[1]]
        return "invalid_json", f"{where}: Python's {python[1]}; JSON writes {json_word}"
    if error.pos >= len(text.rstrip()):
        return "invalid_json", f"{where}: the line ends in the middle; it may be cut off"
    words = next((words for start, words in _WORDS if error.msg.startswith(start)), "")
    return "invalid_json", f"{where}: {words or 'a value is missing or not JSON'}"

"""Repairs one line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from tuning.datasets.chat import check_supervised
from tuning.datasets.parsing import Found, Parsed, parse_line
from tuning.datasets.preferences import check_dpo, check_reinforcement
from tuning.datasets.repairing.conversions import convert
from tuning.datasets.repairing.lenient import to_json
from tuning.datasets.repairing.reading import Format
from tuning.datasets.rules import RULES
from tuning.datasets.shapes import FOREIGN, shape_of

_MAX = 16 << 20
"""Bytes of the longest line that is read leniently."""
_BEYOND = frozenset({"nan_or_infinity", "lone_surrogate", "too_deep", "row_too_large", "nul_byte"})
_GAP = re.compile(r"[\s,]*")
_CHECKS: dict[str, Callable[[dict[str, Any], Found], None]] = {
    "chat": check_supervised,
    "dpo": check_dpo,
    "reinforcement": check_reinforcement,
}
_FORMATS = {
    "legacy": "written as chat, from prompt/completion",
    "alpaca": "written as chat, from Alpaca",
    "sharegpt": "written as chat, from ShareGPT",
    "trl_preference": "written as a preference row, from TRL",
}


@dataclass(slots=True)
class Mended:
    """The lines to stand in place of one (none for a comment), and what was done: code and words."""

    lines: list[bytes]
    done: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def mend(data: bytes, parsed: Parsed | None = None, form: Format | None = None) -> Mended:
    """Repair one line (without its ending and blanks around it); as it is where nothing can be done.

    ``form``: the format a person chose to read it as.
    """
    parsed = parsed or parse_line(data)
    if not parsed.ok:
        return _unreadable(data, parsed.found, form)
    return converted(data, parsed.value, form)


def is_mended(data: bytes, parsed: Parsed) -> bool:
    """True when the row has an error that :func:`mend` takes away, and none is left."""
    if parsed.ok and not (
        isinstance(parsed.value, dict) and shape_of(cast("dict[str, Any]", parsed.value)) in FOREIGN
    ):
        return False
    mended = mend(data, parsed)
    return bool(mended.done) and all(_is_good(line) for line in mended.lines)


def _is_good(line: bytes) -> bool:
    parsed = parse_line(line)
    row = cast("dict[str, Any]", parsed.value) if parsed.ok and isinstance(parsed.value, dict) else {}
    check = _CHECKS.get(shape_of(row))
    if check is None:
        return False
    check(row, parsed.found)
    return not any(RULES[code].severity == "error" for code in parsed.found)


def converted(data: bytes, value: Any, form: Format | None = None) -> Mended:
    """A row in the right format; as it is when it is right, or cannot be told."""
    if form is not None and isinstance(value, dict) and not _is_good(data):
        row = form.read(cast("dict[str, Any]", value))
        if row is not None:
            return Mended([orjson.dumps(row)], [("read_as", f"read as {form.title}")])
    if not isinstance(value, dict) or (found := convert(cast("dict[str, Any]", value))) is None:
        return Mended([data])
    shape, row = found
    return Mended([orjson.dumps(row)], [(f"{shape}_format", _FORMATS[shape])])


def _unreadable(data: bytes, found: Found, form: Format | None) -> Mended:
    code = next(iter(found))
    as_is = Mended([data])
    if code == "comment_line" and not data.lstrip().startswith(b"/*"):
        return Mended([], [(code, "comment lines left out")])
    if code in _BEYOND or len(data) > _MAX:
        return as_is
    if code == "invalid_utf8":
        return _windows(data, form)
    text = data.decode("utf-8")
    read = to_json(text)
    if read is None:
        several = _several(text)
        return (
            _each(several, (code, "objects on one line put on lines of their own"), form)
            if several
            else as_is
        )
    new, words = read
    return _each([new], (code, f"put right: {words}" if words else "written as JSON"), form)


def _each(lines: list[bytes], done: tuple[str, str], form: Format | None) -> Mended:
    """``lines``, each in the right format, with ``done`` before what was done to them."""
    mended = Mended([], [done])
    for line in lines:
        after = converted(line, orjson.loads(line), form)
        mended.lines += after.lines
        mended.done += [other for other in after.done if other not in mended.done]
    return mended


def _windows(data: bytes, form: Format | None) -> Mended:
    try:
        new = data.decode("cp1252").encode("utf-8")
    except UnicodeDecodeError:
        return Mended([data])
    after = mend(new, form=form)
    parsed_now = parse_line(after.lines[0]) if len(after.lines) == 1 else None
    if parsed_now is None or not parsed_now.ok:
        return Mended([data])
    return Mended(after.lines, [("invalid_utf8", "read as Windows-1252, written as UTF-8"), *after.done])


def _several(text: str) -> list[bytes]:
    """The objects of a line, with or without commas between them; none if anything else stands there."""
    decoder = json.JSONDecoder()
    lines: list[bytes] = []
    place = 0
    while place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
            if not isinstance(value, dict):
                return []
            lines.append(orjson.dumps(value))
        except (ValueError, RecursionError, TypeError):  # JSON errors are ValueErrors
            return []
        place = cast("re.Match[str]", _GAP.match(text, place)).end()
    return lines

"""What a file is when it is not JSON Lines: told from its first bytes and lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

import orjson

_MAGIC = (
    (codecs.BOM_UTF32_LE, "utf32"),
    (codecs.BOM_UTF32_BE, "utf32"),
    (codecs.BOM_UTF16_LE, "utf16"),
    (codecs.BOM_UTF16_BE, "utf16"),
    (b"\x1f\x8b", "gzip_file"),
    (b"BZh", "binary_file"),
    (b"\xfd7zXZ\0", "binary_file"),
    (b"(\xb5/\xfd", "binary_file"),
    (b"7z\xbc\xaf'", "binary_file"),
    (b"\xd0\xcf\x11\xe0", "binary_file"),
    (b"ARROW1", "binary_file"),
    (b"\x89HDF", "binary_file"),
    (b"PK\x03\x04", "zip_file"),
    (b"PAR1", "parquet_file"),
    (b"%PDF", "binary_file"),
    (b"\x89PNG", "binary_file"),
    (b"\xff\xd8\xff", "binary_file"),
    (b"SQLite format 3\0", "binary_file"),
)
_HTML = re.compile(
    rb"\s*(<!doctype\s+html|<html|<head|<body|<!--.{0,200}?-->\s*<(!doctype|html))", re.I | re.S
)


def sniff_bytes(head: bytes) -> str | None:
    """The code of a whole-file problem told by the first bytes (some 64 kB), or None."""
    for magic, code in _MAGIC:
        if head.startswith(magic):
            return code
    if _HTML.match(head.removeprefix(codecs.BOM_UTF8)):
        return "html_page"
    if re.match(rb"\s*<\?xml", head):
        return "xml_file"
    return _sniff_nuls(head)


def _sniff_nuls(head: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark, and files that are no text: told by where the NULs stand."""
    size = len(head)
    nuls = head.count(0)
    if size < 8 or nuls * 10 < size:
        return None
    if nuls * 10 >= size * 6 and head[:4].count(0) == 3:
        return "utf32"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if nuls * 10 >= size * 3 and min(even, odd) * 20 <= nuls:  # an emoji may have a NUL on the other side
        return "utf16"
    return "binary_file"


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def sniff_lines(lines: Sequence[bytes], has_rows: bool, has_objects: bool) -> str | None:
    """The code for a file that is something else than rows, told by its first lines (not blank), or None.

    ``has_objects``: some line is a JSON object by itself; ``has_rows``: one in a known format. None means
    rows, with errors of their own to be named one by one.
    """
    if not lines:
        return None
    first = lines[0].strip()
    if first.startswith(b"["):
        return "json_array" if _is_array(first, lines) else None
    if first.startswith(b"{"):
        opened = first.endswith((b"{", b"[", b",")) and not _is_json(first.rstrip(b", \t"))
        return "pretty_printed" if opened and len(lines) > 1 and not has_rows else None
    if has_objects or any(line.lstrip()[:1] in (b"{", b"[") for line in lines) or _is_json(first):
        return None
    return "csv_file" if _is_table(lines) else "plain_text"


def _is_array(first: bytes, lines: Sequence[bytes]) -> bool:
    """A list of objects on one or many lines; not rows that each are a list."""
    whole = _is_json(first)
    if whole and len(lines) > 1:
        return False
    if not whole and len(lines) == 1:
        return first[1:].lstrip().startswith(b"{")
    rest = first[1:].lstrip() or lines[1].lstrip()
    return rest.startswith(b"{")


def _is_table(lines: Sequence[bytes]) -> bool:
    """The same separator in the heading and most of the lines after it."""
    if len(lines) < 2:
        return False
    for separator in (b",", b"\t", b";", b"|"):
        wanted = lines[0].count(separator)
        fitting = sum(line.count(separator) >= wanted for line in lines[1:])
        if wanted and fitting * 10 >= (len(lines) - 1) * 7 and not lines[0].rstrip().endswith(b"."):
            return True
    return False

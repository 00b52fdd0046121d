"""Files that are not UTF-8 text as text: other encodings, compressed files, Parquet tables.

What is read here is looked at on this machine and nothing more: its lines are those of the file as a person
sees it when it is opened (of a table, its rows), so that private values are found and named by line.
"""

from __future__ import annotations

import codecs
import gzip
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO

from tuning.datasets.lines import CHUNK
from tuning.datasets.sniffing import sniff_bytes

HEAD = 1 << 16
MOST_BYTES = 4 << 30
"""How large a file may become when it is unpacked: a small file can hold any number of zeros."""
TABLE_MEMORY = 4 << 30
"""Bytes of address space for the reader of a table; what it holds at a time is far less."""
_TABLE_SECONDS = 600
_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_TEXT_NAMES = (".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".txt")


class Unreadable(Exception):
    """The bytes are not what their beginning says, or become too large; the text says which."""


@dataclass(frozen=True, slots=True)
class Text:
    """``path``: the file as UTF-8 text; ``how``: what was done to it, in words for a change."""

    path: Path
    how: str


@contextmanager
def as_text(path: Path, code: str) -> Generator[Text]:
    """The file at ``path`` as UTF-8 text, for as long as it is read; ``code``: what :func:`sniff_bytes` says.

    Raises ``OSError`` and :class:`Unreadable`.
    """
    reader = _READERS.get(code)
    if reader is None:
        raise Unreadable("it is no text")
    with tempfile.NamedTemporaryFile(suffix=".txt") as out:  # for our eyes only, mode 0600
        how = reader(path, out)
        out.flush()
        with Path(out.name).open("rb") as unpacked:
            inner = sniff_bytes(unpacked.read(HEAD))
        if inner in ("utf16", "utf32") and code not in ("utf16", "utf32"):
            with as_text(Path(out.name), inner) as text:
                yield Text(text.path, f"{how}, {text.how}")
        elif inner in _READERS or inner == "binary_file":
            raise Unreadable("what is packed in it is no text")
        else:
            yield Text(Path(out.name), how)


def wide_encoding(head: bytes, code: str) -> str:
    """Python's name for the encoding of a UTF-16 or UTF-32 file, with or without a mark."""
    for mark, name in _WIDE.items():
        if head.startswith(mark):
            return name
    if code == "utf32":
        return "utf-32-be" if head[0] == 0 else "utf-32-le"
    return "utf-16-be" if head[0::2].count(0) > head[1::2].count(0) else "utf-16-le"


def _wide(code: str) -> Callable[[Path, IO[bytes]], str]:
    def read(path: Path, out: IO[bytes]) -> str:
        with path.open("rb") as source:
            decoder = codecs.getincrementaldecoder(wide_encoding(source.read(HEAD), code))(errors="replace")
            source.seek(0)
            first = True
            while chunk := source.read(CHUNK):
                text = decoder.decode(chunk)
                out.write((text.removeprefix("\ufeff") if first else text).encode("utf-8", "replace"))
                first = False
            out.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
        return "written as UTF-8"

    return read


def _gzip(path: Path, out: IO[bytes]) -> str:
    with gzip.open(path, "rb") as source:
        _unpack(source, out)
    return "unpacked"


def _zip(path: Path, out: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
            texts = [name for name in names if name.lower().endswith(_TEXT_NAMES) and "__MACOSX" not in name]
            if len(texts) != 1:
                raise Unreadable(f"it holds {len(texts):,} text files, not one" if texts else "it is no text")
            with archive.open(texts[0]) as source:
                _unpack(source, out)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as problem:
        raise Unreadable("it is damaged or locked") from problem
    return "unpacked"


def _unpack(source: BufferedIOBase | IO[bytes], out: IO[bytes]) -> None:
    size = 0
    try:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                raise Unreadable(f"unpacked it is larger than {MOST_BYTES >> 30} GB")
            out.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise Unreadable("it is damaged") from problem


def _table(path: Path, out: IO[bytes]) -> str:
    """By a process of its own: a damaged table can end the process that reads it."""
    if shutil.disk_usage(tempfile.gettempdir()).free < path.stat().st_size:
        raise Unreadable("there is no room to unpack it")
    reader = Path(__file__).with_name("table_reader.py")
    command = [sys.executable, "-I", str(reader), str(path.resolve()), str(MOST_BYTES), str(TABLE_MEMORY)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
            timeout=_TABLE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as problem:
        raise Unreadable("it takes too long to read") from problem
    if done.returncode:
        raise Unreadable("it is damaged, or larger than can be read here")
    return "each table row written on one line"


_READERS: dict[str, Callable[[Path, IO[bytes]], str]] = {
    "utf16": _wide("utf16"),
    "utf32": _wide("utf32"),
    "gzip_file": _gzip,
    "zip_file": _zip,
    "parquet_file": _table,
}
READABLE = frozenset(_READERS)
"""Codes of files that :func:`as_text` can read."""

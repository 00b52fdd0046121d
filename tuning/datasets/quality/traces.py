"""What of each row is kept to compare it with the others: fixed-size records in a temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from tuning.datasets.quality.sketches import BATCH, SIZE, sketches
from tuning.datasets.shapes import CHAT_KEYS
from tuning.datasets.swept import unescaped

TRACE = np.dtype(
    [
        ("line", "<u8"),
        ("row", "<u8"),
        ("prompt", "<u8"),
        ("answer", "<u8"),
        ("system", "<u8"),
        ("length", "<u4"),
        ("triples", "<u4"),
        ("sketch", "<u4", (SIZE,)),
    ]
)
"""Line; digests of the whole row, of what is asked (0: not comparable), of the answer and of the system
prompt (0: none); characters of the answer; triples of words, and their sketch."""

Traces = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Trace:
    """A row before its sketch: ``text`` is what it says without its system prompt."""

    line: int
    row: int
    prompt: int
    answer: int
    system: int
    length: int
    text: bytes


def trace_of(line: int, row: dict[str, Any], canonical: bytes) -> Trace:
    """The trace of a row in whatever format; digests are of sorted compact JSON."""
    given: Any = row["input"] if isinstance(row.get("input"), dict) else row
    messages: list[Any] = given["messages"] if isinstance(given.get("messages"), list) else []
    prompt, answer, length = _asked_and_answered(row, messages)
    system, said = _said(messages)
    outputs = [row[key] for key in ("preferred_output", "non_preferred_output") if key in row]
    texts = said if messages else _texts(row)
    for output in outputs:
        texts = texts + _texts(output)
    return Trace(
        line,
        number(canonical),
        prompt,
        answer,
        number(system.encode()) if system is not None else 0,
        min(length, (1 << 32) - 1),
        "\n".join(texts).encode("utf-8"),
    )


def trace_of_plain(line: int, roles: Sequence[str], texts: Sequence[bytes]) -> Trace:
    """:func:`trace_of` for a plain chat row that ends with an answer, its texts as JSON writes them."""
    messages = [
        b'{"content":"%b","role":"%b"}' % (text, role.encode())
        for role, text in zip(roles, texts, strict=True)
    ]
    asked = b'{"messages":[' + b",".join(messages[:-1])
    row = asked + b"," + messages[-1] if len(messages) > 1 else asked + messages[-1]
    answer = b'{"content":"%b","function_call":null,"refusal":null,"tool_calls":null}' % texts[-1]
    system, said = None, list[bytes]()
    for role, text in zip(roles, texts, strict=True):
        if role != "system":
            if not text.startswith(b"data:"):
                said.append(text if b"\\" not in text else unescaped(text).encode())
        elif system is None:
            system = number(unescaped(text).encode())
    last = texts[-1]
    length = len(last) if last.isascii() and b"\\" not in last else len(unescaped(last))
    return Trace(
        line,
        number(row + b"]}"),
        number(asked + b"]}"),
        number(answer),
        system or 0,
        min(length, (1 << 32) - 1),
        b"\n".join(said),
    )


def number(data: bytes) -> int:
    """64 bits that stand for ``data``, the same in every process; never 0."""
    return xxhash.xxh3_64_intdigest(data) or 1


def asked_of(row: dict[str, Any]) -> int:
    """A digest of what a row asks, whatever its format; 0 when it cannot be told."""
    given: Any = row["input"] if isinstance(row.get("input"), dict) else row
    if "input" in row or "prompt" in row:
        return number(_dumped(row.get("input", row.get("prompt"))))
    messages: list[Any] = given["messages"] if isinstance(given.get("messages"), list) else []
    return _asked_and_answered(row, messages)[0]


def _dumped(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _asked_and_answered(row: dict[str, Any], messages: list[Any]) -> tuple[int, int, int]:
    """Digests of question (with tools) and answer of a chat or reinforcement row, length of the latter.

    Preference rows may well ask one thing twice: they have none (0).
    """
    if not messages or "input" in row:
        return 0, 0, 0
    last: Any = messages[-1]
    if isinstance(last, dict) and cast("dict[str, Any]", last).get("role") == "assistant":
        message = cast("dict[str, Any]", last)
        asked = {key: value for key, value in row.items() if key in CHAT_KEYS} | {"messages": messages[:-1]}
        said = {key: message.get(key) for key in ("content", "tool_calls", "function_call", "refusal")}
        content = message.get("content")
        length = len(content) if isinstance(content, str) and not message.get("tool_calls") else 0
        return number(_dumped(asked)), number(_dumped(said)), length
    columns = {key: value for key, value in row.items() if key not in CHAT_KEYS}
    if not columns:
        return 0, 0, 0
    asked = {key: value for key, value in row.items() if key in CHAT_KEYS}
    return number(_dumped(asked)), number(_dumped(columns)), 0


def _said(messages: list[Any]) -> tuple[str | None, list[str]]:
    """The system prompt, and the texts of all other messages."""
    system: str | None = None
    texts: list[str] = []
    for item in messages:
        if not isinstance(item, dict):
            continue
        message = cast("dict[str, Any]", item)
        content = message.get("content")
        if message.get("role") in ("system", "developer"):
            system = content if system is None and isinstance(content, str) else system
            continue
        texts += _texts(content)
        if message.get("tool_calls"):
            texts += _texts(message["tool_calls"])
    return system, texts


def first_system(messages: list[Any]) -> str | None:
    """The first system prompt among messages."""
    return _said(messages)[0]


def _texts(value: Any, depth: int = 0) -> list[str]:
    """The texts in a value, images aside; ids and types of calls and parts count little."""
    if isinstance(value, str):
        return [] if value.startswith("data:") else [value]
    if depth > 8:
        return []
    if isinstance(value, list):
        return [text for item in cast("list[Any]", value) for text in _texts(item, depth + 1)]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return [
            text
            for key, item in fields.items()
            if key not in ("id", "type", "role")
            for text in _texts(item, depth + 1)
        ]
    return []


def pack(traces: Sequence[Trace]) -> bytes:
    """The records of ``traces``, in order; sketched by batches."""
    records = np.zeros(len(traces), dtype=TRACE)
    for field in ("line", "row", "prompt", "answer", "system", "length"):
        records[field] = [getattr(trace, field) for trace in traces]
    start = size = 0
    for end, trace in enumerate([*traces, None]):
        if trace is None or (size + len(trace.text) + 1 > BATCH and end > start):
            sketch, triples = sketches([kept.text for kept in traces[start:end]])
            records["sketch"][start:end], records["triples"][start:end] = sketch, triples
            start, size = end, 0
        if trace is not None:
            size += len(trace.text) + 1
    return records.tobytes()


class TraceFile:
    """Traces of a whole file, kept in a temporary file that is gone when this is closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        self.rows = 0

    def add(self, records: bytes, first_line: int = 0) -> None:
        """Take packed records; their lines count from ``first_line``."""
        if first_line:
            shifted = np.frombuffer(records, dtype=TRACE).copy()
            shifted["line"] += np.uint64(first_line)
            records = shifted.tobytes()
        self._file.write(records)
        self.rows += len(records) // TRACE.itemsize

    def all(self) -> Traces:
        """Every record, mapped from the file: only what is read takes memory."""
        self._file.flush()
        if not self.rows:
            return np.empty(0, dtype=TRACE)
        return np.memmap(self._file, dtype=TRACE, mode="r", shape=(self.rows,))

    def close(self) -> None:
        """Let the traces go."""
        self._file.close()

    def __enter__(self) -> TraceFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""Finds private values in one text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

import re2

from tuning.datasets.privacy.patterns import PATTERNS, Pattern


class Hit(NamedTuple):
    """Where a private value stands in a text, in bytes; ``kind`` says in words what it is."""

    start: int
    end: int
    code: str
    kind: str


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


@lru_cache(maxsize=1)
def _compiled() -> tuple[Any, tuple[tuple[Pattern, Any], ...]]:
    """The set of all hints, and each pattern by itself; made once a process."""
    options = _options()
    hints = re2.Set.SearchSet(options)
    for pattern in PATTERNS:
        hints.Add(
            (pattern.hint or pattern.expression).replace(rb"\b", b"")
        )  # raw lines: \n hides a word's edge
    hints.Compile()
    return hints, tuple((pattern, re2.compile(pattern.expression, options)) for pattern in PATTERNS)


def may_hold(text: bytes) -> bool:
    """False when no private value can be in ``text`` (raw bytes of a line will do): one pass for all."""
    return bool(_compiled()[0].Match(text))


def scan(text: bytes) -> list[Hit]:
    """Every private value in ``text`` (UTF-8), in order, none overlapping another."""
    hints, patterns = _compiled()
    likely = sorted(cast("list[int]", hints.Match(text) or ()))
    if not likely:
        return []
    hits: list[Hit] = []
    taken = bytearray(len(text))
    for pattern, compiled in (patterns[index] for index in likely):
        for start, end in _places(text, pattern, compiled, taken):
            taken[start:end] = b"\1" * (end - start)
            hits.append(Hit(start, end, pattern.code, pattern.kind))
    return sorted(hits)


def _places(text: bytes, pattern: Pattern, compiled: Any, taken: bytearray) -> Iterator[tuple[int, int]]:
    """Spans of ``pattern`` that its proof accepts and nothing has ``taken``.

    After a refusal the search goes on one byte later, or behind what is taken: the rest of a span that
    reaches into another value may be one by itself.
    """
    place = 0
    while (match := compiled.search(text, place)) is not None:
        start, end = cast("tuple[int, int]", match.span(pattern.group))
        if pattern.group == 0 and taken[start]:
            place = taken.find(0, start)
            if place < 0:
                return
        elif taken.find(1, start, end) < 0 and (pattern.proof is None or pattern.proof(text, start, end)):
            yield start, end
            place = match.end()
        else:
            place = match.start() + 1

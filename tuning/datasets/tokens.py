"""Tokens per example, exact for the base's encoding and offline.

What is counted is told in :mod:`tuning.datasets.weighing`. The vocabularies are those compiled into
splintr; control tokens count as plain text.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from tuning.datasets.report import Tokens
from tuning.datasets.tokenizers import QuickTokenizer, SteadyTokenizer
from tuning.datasets.weighing import Load

ENCODINGS = frozenset({"o200k_base", "cl100k_base"})
DEFAULT_ENCODING = "o200k_base"
_KNOWN_LETTERS = 4_000_000


class TokenCounter:
    """Counts loads of rows; memory is a table of how many rows have how many tokens."""

    def __init__(self, encoding: str, quick: bool = False) -> None:
        self._steady = SteadyTokenizer(encoding)
        self._tokenizer = QuickTokenizer(encoding, self._steady) if quick else self._steady
        self._known: dict[str, int] = {}
        self._known_letters = 0
        self._counts: Counter[int] = Counter()
        self.exact = True

    def add(self, load: Load, before: int = 0, over: int = -1) -> list[tuple[int, int]]:
        """Count every row of ``load``; the lines, after ``before`` others, with more than ``over`` tokens."""
        self.exact = self.exact and load.exact
        ends = np.frombuffer(load.ends, np.int64)
        if not len(ends):
            return []
        upto = self._tokenizer.upto(load.blob, int(ends[-1]))[ends]
        shared = np.array([sum(map(self._tokens, texts)) for texts in load.groups], np.int64)
        tokens = np.frombuffer(load.extra, np.int64) + shared[np.frombuffer(load.group, np.int64)] + upto
        tokens[1:] -= upto[:-1]
        for row, text in load.odd:
            tokens[row] += self._steady.count(text)
        self._counts.update(tokens.tolist())
        lines = memoryview(load.lines).cast("Q")
        return [(lines[row] + before, int(tokens[row])) for row in np.flatnonzero(tokens > over).tolist()]

    def _tokens(self, text: str) -> int:
        tokens = self._known.get(text)
        if tokens is None:
            tokens = self._known[text] = self._tokenizer.count(text)
            self._known_letters += len(text)
            if self._known_letters > _KNOWN_LETTERS:
                self._known.clear()
                self._known_letters = 0
        return tokens

    def summary(self, encoding: str, limit: int | None, exact: bool) -> Tokens | None:
        """Total, median, 95th percentile (nearest rank) and maximum of what was counted, None for nothing."""
        size = self._counts.total()
        if not size:
            return None
        over = (
            sum(rows for tokens, rows in self._counts.items() if tokens > limit) if limit is not None else 0
        )
        return Tokens(
            total=sum(tokens * rows for tokens, rows in self._counts.items()),
            median=self._at((size - 1) // 2),
            p95=self._at(-(-size * 95 // 100) - 1),
            max=max(self._counts),
            over_limit=over,
            limit=limit,
            encoding=encoding,
            exact=exact and self.exact,
        )

    def _at(self, place: int) -> int:
        """The count at ``place`` of all counts in order."""
        for tokens in sorted(self._counts):
            place -= self._counts[tokens]
            if place < 0:
                return tokens
        raise IndexError(place)

    def billed(self, limit: int | None) -> int:
        """Tokens of one epoch, each example cut at ``limit``."""
        return sum(
            (tokens if limit is None else min(limit, tokens)) * rows for tokens, rows in self._counts.items()
        )

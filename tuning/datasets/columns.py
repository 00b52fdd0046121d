"""The columns of reinforcement rows: what a grader reads beside the messages.

The guide of reinforcement fine-tuning wants the same columns in the training and the validation file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tuning.datasets.excerpts import excerpt
from tuning.datasets.shapes import CHAT_KEYS

MOST_COLUMNS = 200
_NAMED = 3


class Columns(msgspec.Struct, frozen=True):
    """Columns that every row of the training file has, and all that any row has."""

    needed: frozenset[str]
    known: frozenset[str]

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Columns | None:
        """From how many rows have each column (see :func:`count_columns`); None without such rows."""
        rows = counts.get("messages", 0)
        if not rows:
            return None
        names = [name for name in counts if name not in CHAT_KEYS]
        return cls(frozenset(name for name in names if counts[name] == rows), frozenset(names))

    def differ(self, row: Iterable[str]) -> str:
        """How the columns of a row differ from these, in words; empty when they do not."""
        have = frozenset(row) - CHAT_KEYS
        return _words(self.needed - have, have - self.known if len(self.known) < MOST_COLUMNS else ())


def differ(training: Mapping[str, int], validation: Mapping[str, int]) -> str:
    """How the columns of two whole files differ, in words; empty when they do not."""
    wanted, given = Columns.of(training), Columns.of(validation)
    if wanted is None or given is None:
        return ""
    return _words(wanted.needed - given.needed, given.known - wanted.known)


def count_columns(row: Mapping[str, Any], counts: dict[str, int]) -> None:
    """Count the columns of one row, of the first 200 names."""
    for name in row:
        if name in counts or name == "messages" or len(counts) < MOST_COLUMNS:
            counts[name] = counts.get(name, 0) + 1


def add_columns(more: Mapping[str, int], counts: dict[str, int]) -> None:
    """Add the counts of another part of the file."""
    for name, count in more.items():
        if name in counts or name == "messages" or len(counts) < MOST_COLUMNS:
            counts[name] = counts.get(name, 0) + count


def _words(missing: Iterable[str], more: Iterable[str]) -> str:
    parts = [f"{word} {_names(names)}" for word, names in (("without", missing), ("with", more)) if names]
    return " and ".join(parts)


def _names(names: Iterable[str]) -> str:
    found = sorted(names)
    rest = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    return ", ".join(excerpt(name) for name in found[:_NAMED]) + rest

"""A picture of how long the examples of a file are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TokenChart:
    """``png`` bytes, a short ``title`` and the ``alt`` text for those who cannot see it."""

    png: bytes
    title: str
    alt: str


def token_chart(
    source: Path | Sequence[int], limit: int | None = None, *, name: str = "", encoding: str | None = None
) -> TokenChart | None:
    """A histogram of the tokens an example, None when there is no example.

    ``source`` is a file, or the tokens of each example; ``limit`` is drawn when the base has one.
    Slow (seconds for a big file): call it in a thread or a worker process. Raises ``OSError``.
    """
    raise NotImplementedError

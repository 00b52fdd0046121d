"""What changed from one version of a file to the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Difference:
    """Examples added, removed and changed (same question, other answer); tokens more or, negative, fewer."""

    added: int
    removed: int
    changed: int
    tokens_delta: int | None = None

    @property
    def same(self) -> bool:
        """True when both files hold the same examples, in whatever order."""
        return not (self.added or self.removed or self.changed)


def difference(old: Path, new: Path, *, tokens: tuple[int, int] | None = None) -> Difference:
    """Compare the examples of two files, spelling and order aside. Raises ``OSError``.

    ``tokens`` are the totals of the two reports, old and new, when the caller has them.
    """
    raise NotImplementedError

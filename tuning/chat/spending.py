"""The monthly cap of chat."""

from __future__ import annotations

from datetime import UTC, datetime

from tuning.errors import CapReached


def month_of(now: float) -> str:
    """The calendar month of a moment in UTC: ``2026-11``."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m")


def refuse_beyond(most: int, used: int) -> None:
    """Refuses when the tokens of a month are used up.

    Raises:
        CapReached: they are.
    """
    if used >= most:
        raise CapReached(
            f"This month's {most:,} tokens for chat are used up.",
            "Wait for the first of the month, or ask the person who runs ftbot for more.",
        )

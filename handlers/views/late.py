"""The word that an answer comes late."""

from __future__ import annotations

from handlers.text import duration


def late_words(seconds: float) -> str:
    """What is said under a message that was written while the bot was away."""
    return f"I was away when this was written, {duration(seconds)} ago. I take it up now: late, but not lost."

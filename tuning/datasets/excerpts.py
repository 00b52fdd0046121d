"""Short, inert pieces of file text for messages: what a dropped file says is never trusted."""

from __future__ import annotations

EXCERPT = 40


def excerpt(value: object, limit: int = EXCERPT) -> str:
    """``value`` in backquotes: printable, on one line, at most ``limit`` characters."""
    text = value if isinstance(value, str) else _kind(value)
    cut = text[: limit + 1]
    clean = "".join(c if c.isprintable() and c != "`" else " " for c in cut[:limit]).strip()
    return f"`{clean}{'…' if len(cut) > limit else ''}`"


def _kind(value: object) -> str:
    """A name for a JSON value that is not text; containers are named, never shown."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return str(value) if isinstance(value, float) or abs(value) < 10**12 else "a huge number"
    return "a list" if isinstance(value, list) else "an object"

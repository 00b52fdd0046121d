"""Short, inert pieces of file text for messages: what a dropped file says is never trusted."""

from __future__ import annotations

from tuning.datasets.privacy import scan

EXCERPT = 40
_LOOKED_AT = 2_000


def excerpt(value: object, limit: int = EXCERPT) -> str:
    """``value`` in backquotes: printable, on one line, at most ``limit`` characters."""
    text = _without_private(value[:_LOOKED_AT]) if isinstance(value, str) else _kind(value)
    cut = text[: limit + 1]
    clean = "".join(c if c.isprintable() and c != "`" else " " for c in cut[:limit]).strip()
    return f"`{clean}{'…' if len(cut) > limit else ''}`"


def _without_private(text: str) -> str:
    """A private value is not repeated anywhere, not even where it stands in a key or a name."""
    data = text.encode("utf-8", "replace")
    for hit in reversed(scan(data)):
        data = data[: hit.start] + b"[" + hit.code.encode() + b"]" + data[hit.end :]
    return data.decode("utf-8", "replace")


def _kind(value: object) -> str:
    """A name for a JSON value that is not text; containers are named, never shown."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return str(value) if abs(value) < 10**7 else "a large number"
    return "a list" if isinstance(value, list) else "an object"

"""Ids, timestamps and small times, in Slack's shapes."""

from __future__ import annotations

import secrets
import string
import time

_ALPHABET = string.ascii_uppercase + string.digits


def new_id(prefix: str) -> str:
    """An id such as ``C0A1B2C3D4E``: the prefix and ten upper-case letters or digits."""
    return prefix + "0" + "".join(secrets.choice(_ALPHABET) for _ in range(9))


def short_id() -> str:
    """A block or action id as Slack makes them up when an app gives none."""
    return secrets.token_urlsafe(4).replace("-", "a").replace("_", "b")


class Clock:
    """Timestamps that never repeat and never go back within one process."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> float:
        return time.time()

    def next_ts(self) -> str:
        """A message timestamp, ``seconds.microseconds``, later than every one before."""
        self._last = max(self._last + 1, int(self.now() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

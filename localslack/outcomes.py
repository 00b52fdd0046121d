"""What became of one try to bring a payload to the app."""

from __future__ import annotations

from dataclasses import dataclass

from localslack.records import JSON

LATE = frozenset({"timeout", "http_timeout"})


@dataclass(frozen=True)
class Outcome:
    """``payload`` is the acknowledgement, None when there was none; ``reason`` is Slack's word for why.

    ``final``: the app asked for no further tries.
    """

    payload: JSON | None
    reason: str = ""
    final: bool = False

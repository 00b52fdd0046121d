"""Why a job failed, in plain words: one table from the provider's codes to why, what to do, and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person reads about a failure. ``why`` never quotes the provider: its words stand beside it, inert."""

    why: str
    todo: str
    money: str


def explain(error: Mapping[str, Any]) -> Explanation:
    """Explains ``Job.error`` (code, message, param, line?)."""
    raise NotImplementedError

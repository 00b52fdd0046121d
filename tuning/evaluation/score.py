"""How many answers are exactly right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tuning.providers.gateway import Gateway

Json = dict[str, Any]


async def score(
    gateway: Gateway, models: Sequence[tuple[str, str]], rows: Iterable[Json], *, limit: int = 50
) -> list[Json]:
    """One ``{"label", "model", "right", "total"}`` per ``(label, model)``."""
    raise NotImplementedError

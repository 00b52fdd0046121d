"""Waiting for what happens on its own."""

from __future__ import annotations

import asyncio
from typing import Any


async def until(condition: Any, seconds: float = 30.0) -> Any:
    """Waits for something to become true (a coroutine function may be given); answers it."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)

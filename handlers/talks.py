"""The answers that are being written now, so that people can stop them."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

NAMED_SECONDS = 2.0


@dataclass(slots=True)
class Talk:
    """One answer being written; ``by``: the user id of who stopped it."""

    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    by: str = ""

    async def named(self) -> None:
        """Waits a moment for who stopped it: Slack may refuse the next piece before it tells of the stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(NAMED_SECONDS):
                await self.stopped.wait()


class Talks:
    """The running answers by place; ``sessions``: whether this workspace has agent sessions, if known."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], Talk] = {}
        self.sessions = True

    @contextmanager
    def at(self, channel: str, thread: str) -> Generator[Talk]:
        """An answer is written in this thread while inside."""
        talk = Talk()
        self._running[channel, thread] = talk
        try:
            yield talk
        finally:
            del self._running[channel, thread]

    def stop(self, channel: str, thread: str, by: str) -> bool:
        """Stops the answer of a thread; ``False`` when none is being written there."""
        talk = self._running.get((channel, thread))
        if talk is None:
            return False
        talk.by = talk.by or by
        talk.stopped.set()
        return True

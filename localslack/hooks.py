"""``response_url``: where the app may answer an interaction, five times within thirty minutes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from localslack.errors import ApiError
from localslack.ids import new_id

USES = 5
LIFETIME_S = 30 * 60


@dataclass
class Hook:
    """One response_url: for whom, where, and the message that was clicked in (``ts``, may be ephemeral)."""

    id: str
    user: str
    channel: str
    created: float
    ts: str | None = None
    thread_ts: str | None = None
    used: int = 0


class Hooks:
    """The response_urls given out by this run of the program."""

    def __init__(self) -> None:
        self._hooks: dict[str, Hook] = {}

    def make(self, user: str, channel: str, ts: str | None = None, thread_ts: str | None = None) -> Hook:
        hook = Hook(new_id("H"), user, channel, time.time(), ts, thread_ts)
        self._hooks[hook.id] = hook
        return hook

    def use(self, hook_id: str) -> Hook:
        """Count a use. Raises ApiError ``expired_url`` or ``used_url``."""
        hook = self._hooks.get(hook_id)
        if hook is None or time.time() - hook.created > LIFETIME_S:
            raise ApiError("expired_url")
        if hook.used >= USES:
            raise ApiError("used_url")
        hook.used += 1
        return hook

"""One-use keys of Socket Mode addresses."""

from __future__ import annotations

import secrets
import time

TICKET_S = 30.0


class Tickets:
    """One-use keys of WebSocket addresses."""

    def __init__(self) -> None:
        self._made: dict[str, float] = {}

    def make(self) -> str:
        ticket = secrets.token_urlsafe(24)
        self._made[ticket] = time.time()
        return ticket

    def take(self, ticket: str) -> bool:
        """True once for each ticket within its time."""
        return time.time() - self._made.pop(ticket, 0.0) <= TICKET_S

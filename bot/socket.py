"""Watches the Socket Mode connection: one that goes deaf is noticed and opened anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from aiohttp import WSMessage, web
from prometheus_client import Counter, Gauge
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

log = structlog.get_logger(__name__)

PING_SECONDS = 10.0
"""How often Slack's socket is asked for a sign of life."""
DEAF_AFTER = 60.0
"""Seconds without a frame or pong after which the connection is opened anew; pongs come every ten."""
LOOK_EVERY = 5.0
GOODBYE_SECONDS = 1.0
"""How long a stop waits for Slack's side to close the socket."""

SILENCE = Gauge("ftbot_slack_silence_seconds", "Time since Slack's socket was last heard (frame or pong).")
RECONNECTS = Counter("ftbot_slack_reconnects", "Connections opened anew because the old one was deaf.")
HELLOS = Counter("ftbot_slack_connections", "Connections to Slack that said hello.")


class Link(Protocol):
    """What the watch needs of the SDK's client."""

    last_ping_pong_time: float | None

    async def connect_to_new_endpoint(self, force: bool = False) -> None: ...


class SocketWatch:
    """Knows when the socket was heard last. ``on_hello`` is called for every connection that begins."""

    def __init__(
        self,
        link: Link,
        on_hello: Callable[[], None],
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._link = link
        self._on_hello = on_hello
        self._clock = clock
        self._sleep = sleep
        self._heard_at = clock()
        self._tried_at = clock()

    def heard(self, frame: str) -> None:
        """A frame came in."""
        self._heard_at = self._clock()
        if frame.startswith("{") and '"type":"hello"' in frame.replace(" ", "")[:2_000]:
            HELLOS.inc()
            self._on_hello()

    def silence(self) -> float:
        """Seconds since the last frame or pong."""
        return max(0.0, self._clock() - max(self._heard_at, self._link.last_ping_pong_time or 0.0))

    async def run(self) -> None:
        """Looks every few seconds until it is cancelled."""
        while True:
            await self._sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """Opens the connection anew when nothing was heard for too long; again after as long a time."""
        silence = self.silence()
        SILENCE.set(silence)
        if silence < DEAF_AFTER or self._clock() - self._tried_at < DEAF_AFTER:
            return
        self._tried_at = self._clock()
        log.warning("socket_deaf", seconds=round(silence))
        RECONNECTS.inc()
        try:
            await self._link.connect_to_new_endpoint(force=True)
        except Exception as problem:  # whatever the SDK stumbles over: a watch that ends, ends ftbot
            log.warning("reconnect_failed", problem=" ".join(f"{type(problem).__name__}: {problem}".split()))


class SocketMode:
    """Slack's payloads by a WebSocket that ftbot opens; ``watch`` is to be run beside it."""

    def __init__(self, app: AsyncApp, app_token: str, on_hello: Callable[[], None]) -> None:
        self._handler = AsyncSocketModeHandler(app, app_token, ping_interval=PING_SECONDS)
        self.watch = SocketWatch(self._handler.client, on_hello)
        self._handler.client.on_message_listeners.append(self._heard)

    async def _heard(self, message: WSMessage) -> None:
        self.watch.heard(str(message.data))

    async def open(self) -> None:
        """Connects; Slack says hello when it is done."""
        await self._handler.connect_async()

    async def close(self) -> None:
        """Nothing comes in any more. A deaf socket never says goodbye: it is left after a moment."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._handler.close_async()
        except TimeoutError:
            log.info("socket_left")
            await self._handler.close_async()  # what is closed already is passed over

    def silence(self) -> float:
        """Seconds since Slack was heard."""
        return self.watch.silence()

    def routes(self) -> list[web.RouteDef]:
        """None: it is ftbot that calls."""
        return []

"""``/healthz``, ``/readyz`` and ``/metrics`` for whoever watches over ftbot."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from bot.errors import StartError
from bot.socket import DEAF_AFTER, GOODBYE_SECONDS
from storage import inbox, jobs, outbox
from storage.errors import StoreError
from storage.store import Database, Store

log = structlog.get_logger(__name__)

QUEUE = Gauge("ftbot_queue_depth", "Things that wait, by queue: inbox, notices, cards.", ["queue"])
OLDEST_NOTICE = Gauge("ftbot_oldest_notice_seconds", "Age of the oldest notice that is not posted yet.")
JOBS = Gauge("ftbot_jobs", "Jobs by state.", ["state"])


class Health:
    """Answers from the store and the socket, never from what was true at the start."""

    def __init__(
        self,
        store: Store,
        silence: Callable[[], float],
        connected: Callable[[], bool],
        clock: Callable[[], float],
        more: Iterable[web.RouteDef] = (),
    ) -> None:
        """``silence``: seconds since Slack was heard; ``connected``: whether Slack ever said hello; ``more``:
        routes that are served at the same address.
        """
        self._store = store
        self._silence = silence
        self._connected = connected
        self._clock = clock
        self._more = list(more)

    async def problems(self) -> list[str]:
        """Why ftbot cannot do its work now; empty when it can."""
        found: list[str] = []
        if not self._connected():
            found.append("not connected to Slack yet")
        elif (silence := self._silence()) >= DEAF_AFTER:
            found.append(f"nothing heard from Slack for {silence:.0f} s")
        try:
            await self._store.write(_touch)
        except StoreError as problem:
            found.append(str(problem))
        return found

    async def healthz(self, _: web.Request) -> web.Response:
        """The process is alive and its loop turns."""
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """200 when Slack is heard, or may call, and the database takes writes, else 503 with the reasons."""
        if found := await self.problems():
            return web.Response(status=503, text="\n".join(found) + "\n")
        return web.Response(text="ready\n")

    async def metrics(self, _: web.Request) -> web.Response:
        """Everything that is counted, in Prometheus' text format."""
        await self._store.read(self._gauge)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _gauge(self, db: Database) -> None:
        notices, cards = outbox.depth(db)
        for queue, depth in (("inbox", inbox.depth(db)), ("notices", notices), ("cards", cards)):
            QUEUE.labels(queue).set(depth)
        oldest = outbox.oldest_due(db)
        OLDEST_NOTICE.set(0.0 if oldest is None else max(0.0, self._clock() - oldest))
        JOBS.clear()
        for state, many in jobs.count_by_state(db).items():
            JOBS.labels(state).set(many)

    def app(self) -> web.Application:
        """The three routes and those served beside them."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.get("/readyz", self.readyz),
                web.get("/metrics", self.metrics),
                *self._more,
            ]
        )
        return app


def _touch(db: Database) -> None:
    """Writes what stands there already: an empty transaction would not notice a full or read-only disk."""
    db.conn.execute("PRAGMA user_version = 0")


@asynccontextmanager
async def serving(health: Health, host: str, port: int) -> AsyncGenerator[int]:
    """Serves while inside; answers the port, which is a free one for 0.

    Raises:
        StartError: the port is taken.
    """
    runner = web.AppRunner(health.app(), access_log=None, shutdown_timeout=GOODBYE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as problem:
            raise StartError(f"FTBOT_HEALTH_PORT {port} cannot be used: {problem}.") from problem
        bound = int(runner.addresses[0][1])
        log.info("health_served", host=host, port=bound)
        yield bound
    finally:
        await runner.cleanup()

"""Webhooks of providers: each wakes the watch for one job, and does nothing else."""

from __future__ import annotations

import structlog
from aiohttp import web
from prometheus_client import Counter

from tuning.errors import NotGenuine
from tuning.jobs.engine import Engine
from tuning.providers import Providers

log = structlog.get_logger(__name__)

LARGEST = 64 * 1024
"""Bytes; a webhook holds a few ids."""
WEBHOOKS = Counter("ftbot_webhooks", "Webhooks of providers by what became of them.", ["provider", "fate"])


class Webhooks:
    """``POST /webhooks/PROVIDER``; only for providers whose webhook secret is set."""

    def __init__(self, providers: Providers, engine: Engine) -> None:
        self._providers = providers
        self._engine = engine

    @property
    def wanted(self) -> bool:
        """Whether any provider may call."""
        return any(self._providers.webhook_secret(name) for name in self._providers.names)

    async def take(self, request: web.Request) -> web.Response:
        """204 once the job is looked at (or is none of ours), 400 for what is not signed, 404 with no secret.

        The same webhook a second time only asks the provider once more.
        """
        name = request.match_info["provider"]
        secret = self._providers.webhook_secret(name)
        if secret is None:
            return web.Response(status=404, text="No webhook is taken here.\n")
        if (request.content_length or 0) > LARGEST:
            return self._refused(name, 413, "This is larger than a webhook.")
        gateway = self._providers.get(name).gateway
        try:
            job_id = gateway.told_of(await request.read(), request.headers, secret)
        except NotGenuine as problem:
            return self._refused(name, 400, str(problem))
        woke = job_id is not None and await self._engine.told_of(name, job_id)
        WEBHOOKS.labels(name, "woke" if woke else "not_ours").inc()
        return web.Response(status=204)

    def _refused(self, name: str, status: int, why: str) -> web.Response:
        log.warning("webhook_refused", provider=name, status=status)
        WEBHOOKS.labels(name, "refused").inc()
        return web.Response(status=status, text=f"{why}\n")

    def routes(self) -> list[web.RouteDef]:
        """The route, when any provider may call."""
        return [web.post("/webhooks/{provider}", self.take)] if self.wanted else []

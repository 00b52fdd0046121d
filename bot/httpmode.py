"""HTTP mode: Slack calls ftbot, at its own address, with signed requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from handlers.meters import EVENTS

log = structlog.get_logger(__name__)

PATH = "/slack/events"
"""The path of every request URL: events, commands, interactions and options alike."""


REPEATED = "X-Slack-Retry-Num"
REPEATS = 300.0
"""Seconds after which Slack has given up on what it could not deliver: it tries again at once, after a minute
and after five (docs.slack.dev/apis/events-api, error handling)."""


class HttpMode:
    """``POST /slack/events``: genuine requests go to the same Bolt app that the socket feeds.

    Bolt checks signatures as well, but only after it has read the body; here nothing is read that Slack did
    not sign within the last five minutes (docs.slack.dev/authentication/verifying-requests-from-slack).
    """

    def __init__(self, app: AsyncApp, signing_secret: str, on_open: Callable[[], None]) -> None:
        """``app`` was made with the same secret.

        ``on_open`` is called when payloads may come, and whenever some may have been lost: a request that
        Slack repeats, or the first after a silence longer than its repeats, tells of a way that was broken.
        """
        self._app = app
        self._verifier = SignatureVerifier(signing_secret)
        self._on_open = on_open
        self._taking = False
        self._heard = time.monotonic()

    async def open(self) -> None:
        """From now on requests are taken; earlier ones Slack is told to send again."""
        self._taking = True
        self._on_open()

    async def close(self) -> None:
        """From now on none is taken."""
        self._taking = False

    def silence(self) -> float:
        """Nothing is known to be silent: Slack calls when there is something to say."""
        return 0.0

    def routes(self) -> list[web.RouteDef]:
        """The one route, for the server of the health checks."""
        return [web.post(PATH, self.take)]

    async def take(self, request: web.Request) -> web.Response:
        """Bolt's answer; 401 for what is not signed or too old, 503 while ftbot starts or stops."""
        if not self._taking:
            return web.Response(status=503, text="ftbot takes no requests now.\n")
        if not self._genuine(await request.read(), request.headers):
            log.warning("slack_request_refused", status=401)
            EVENTS.labels("unsigned", "refused").inc()
            return web.Response(status=401, text="This request is not signed by Slack, or too old.\n")
        silent, self._heard = time.monotonic() - self._heard, time.monotonic()
        if REPEATED in request.headers or silent > REPEATS:
            self._on_open()
        answer = await self._app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(answer)

    def _genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        try:
            return self._verifier.is_valid_request(body, dict(headers))
        except (ValueError, TypeError):
            # A time that is no number, a signature that is not ASCII, a body that is not UTF-8.
            return False

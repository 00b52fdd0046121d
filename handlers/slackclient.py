"""The one client for Slack: every call takes its turn, is counted, and a 429 closes the way for a while."""

# The SDK leaves the arguments and answers of its calls untyped.
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeArgument=false, reportUnknownArgumentType=false
from __future__ import annotations

from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.anchors import anchored
from handlers.meters import API_CALLS, API_WAIT_SECONDS
from handlers.pacing import RESPONSE_URL, Pace
from handlers.slackapi import code_of, limited, rest_in, retry_after

OPTIONAL = frozenset({"chat.startStream", "assistant.threads.setStatus"})
"""What has a plainer way or can be left out: it is not waited for but refused when there is no room."""


class PacedClient(AsyncWebClient):
    """An ``AsyncWebClient`` that keeps Slack's limits. ``urgent``: a person waits for what it is used for.

    It repeats nothing by itself: after a lost answer only the caller knows whether that would say it twice.
    """

    def __init__(self, *args: Any, pace: Pace | None = None, urgent: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, retry_handlers=[], **kwargs)
        self.pace = pace or Pace()
        self.urgent = urgent

    def behind(self) -> PacedClient:
        """A client on the same limits for work nobody waits for."""
        return PacedClient(
            token=self.token,
            base_url=self.base_url,
            session=self.session,
            timeout=self.timeout,
            pace=self.pace,
            urgent=False,
        )

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:
        """One call when its turn has come.

        Raises:
            SlackApiError: Slack refused, or (``ratelimited``) there is no room for what can be left out.
        """
        channel = _channel_of(how)
        if isinstance(how.get("json"), dict):
            how["json"] = anchored(how["json"])
        if self.urgent and api_method in OPTIONAL and not self.pace.room(api_method, channel):
            API_CALLS.labels(api_method, "no_room").inc()
            raise SlackApiError("There is no room for this call now.", self._no_room(api_method))
        waited = await self.pace.turn(api_method, channel, urgent=self.urgent)
        API_WAIT_SECONDS.labels(api_method).inc(waited)
        status = "ok"
        try:
            return await super().api_call(api_method, **how)
        except SlackApiError as problem:
            status = "ratelimited" if limited(problem) else code_of(problem) or "http_error"
            if limited(problem):
                self.pace.refused(api_method, channel, retry_after(problem))
            raise
        except (aiohttp.ClientError, TimeoutError):
            status = "unreachable"
            raise
        finally:
            API_CALLS.labels(api_method, status).inc()

    async def _request(self, *, http_verb: str, api_url: str, req_args: Any) -> dict[str, Any]:
        """A proxy's page instead of JSON becomes an answer without a word.

        The SDK and its Socket Mode client stumble over such a page with errors that nobody expects.
        """
        try:
            answer = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        except SlackApiError as problem:  # JSON was promised and did not come: this is aiohttp's answer
            got: Any = problem.response
            answer = {"headers": got.headers, "status_code": got.status}
        return answer if isinstance(answer.get("data"), dict) else {**answer, "data": {}}

    async def respond(self, url: str, channel: str, body: dict[str, Any]) -> bool:
        """Answers by the address of a command or click; ``False`` when Slack does not take it (any more).

        The addresses are good for five answers in thirty minutes; they count as messages of their channel.
        """
        waited = await self.pace.turn(RESPONSE_URL, channel, urgent=self.urgent)
        API_WAIT_SECONDS.labels(RESPONSE_URL).inc(waited)
        status = "unreachable"
        try:
            got = await AsyncWebhookClient(url, session=self.session, retry_handlers=[]).send_dict(
                anchored(body)
            )
            status = "ok" if got.status_code == 200 else f"http_{got.status_code}"
        except (aiohttp.ClientError, TimeoutError):
            return False
        finally:
            API_CALLS.labels(RESPONSE_URL, status).inc()
        if got.status_code == 429:
            self.pace.refused(RESPONSE_URL, channel, rest_in(got.headers))
        return got.status_code == 200

    def _no_room(self, method: str) -> AsyncSlackResponse:
        return AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=f"{self.base_url}{method}",
            req_args={},
            data={"ok": False, "error": "ratelimited"},
            headers={"Retry-After": "1"},
            status_code=429,
        )


def _channel_of(how: dict[str, Any]) -> str | None:
    for part in ("json", "params", "data"):
        body = how.get(part)
        if isinstance(body, dict) and body.get("channel"):
            return str(body["channel"])
    return None

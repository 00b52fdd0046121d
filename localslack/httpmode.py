"""HTTP mode: payloads POSTed to the app's request URL, signed as Slack signs them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp

from localslack.outcomes import Outcome
from localslack.records import JSON

MAX_REDIRECTS = 2
_FORM = "application/x-www-form-urlencoded"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """``v0=`` and the HMAC-SHA256 of ``v0:{timestamp}:{body}`` under the signing secret."""
    base = b":".join((b"v0", timestamp.encode(), body))
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class RequestUrl:
    """The app's address for events, commands and interactions alike."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def verify(self) -> bool:
        """Slack's handshake: the app has to send the challenge back."""
        challenge = secrets.token_urlsafe(24)
        body: JSON = {"token": "localslack", "challenge": challenge, "type": "url_verification"}
        try:
            status, _, text = await self._post(_encoded("events_api", body), {}, 3.0)
        except (aiohttp.ClientError, TimeoutError):
            return False
        return status == 200 and challenge in text

    async def send(self, kind: str, payload: JSON, retry: tuple[int, str] | None, seconds: float) -> Outcome:
        """One POST. Acknowledged by a 2xx within ``seconds``; ``X-Slack-No-Retry`` ends the retries."""
        headers: dict[str, str] = {}
        if retry is not None:
            headers = {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        try:
            status, answered, text = await self._post(_encoded(kind, payload), headers, seconds)
        except TimeoutError:
            return Outcome(None, "http_timeout")
        except aiohttp.TooManyRedirects:
            return Outcome(None, "too_many_redirects")
        except aiohttp.ClientConnectionError:
            return Outcome(None, "connection_failed")
        except aiohttp.ClientError:
            return Outcome(None, "unknown_error")
        if not 200 <= status < 300:
            return Outcome(None, "http_error", final=answered.get("X-Slack-No-Retry") == "1")
        return Outcome(_payload(text))

    async def _post(
        self, encoded: tuple[bytes, str], headers: dict[str, str], seconds: float
    ) -> tuple[int, Any, str]:
        body, kind = encoded
        stamp = str(int(time.time()))
        headers = headers | {
            "Content-Type": kind,
            "User-Agent": "Slackbot 1.0 (localslack)",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(self._secret, stamp, body),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with asyncio.timeout(seconds):
            request = self._session.post(self.url, data=body, headers=headers, max_redirects=MAX_REDIRECTS)
            async with request as response:
                return response.status, response.headers, await response.text()


def _encoded(kind: str, payload: JSON) -> tuple[bytes, str]:
    """(body, content type): events as JSON, commands as a form, interactions as JSON in a form."""
    if kind == "events_api":
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(fields).encode(), _FORM


def _payload(text: str) -> JSON:
    """The app's answer: JSON, or plain words (which a command shows to the person)."""
    if not text.strip():
        return {}
    try:
        body: Any = json.loads(text)
    except ValueError:
        return {"text": text}
    return cast("JSON", body) if isinstance(body, dict) else {}

"""Telling somebody that a job ended, signed in the way that `client.webhooks.unwrap` checks.

The signature is an HMAC-SHA256 over `id.timestamp.body` (the Standard Webhooks scheme, which OpenAI uses).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Sequence

import aiohttp

from trainserver import deliveries
from trainserver.config import Config, Webhook
from trainserver.database import Database
from trainserver.deliveries import Delivery

log = logging.getLogger("trainserver")
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 15


def body(delivery: Delivery) -> bytes:
    """What is sent: the event with nothing but the job's id, as OpenAI's are."""
    event = {
        "id": delivery.id,
        "object": "event",
        "created_at": delivery.created_at,
        "type": delivery.type,
        "data": {"id": delivery.job_id},
    }
    return json.dumps(event, separators=(",", ":")).encode()


def headers(key: bytes, delivery_id: str, timestamp: int, content: bytes) -> dict[str, str]:
    """The headers that prove where `content` comes from."""
    signed = f"{delivery_id}.{timestamp}.".encode() + content
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


async def run(database: Database, config: Config) -> None:
    """Deliver until cancelled, each project's to its own webhook. Where there is none nothing is kept."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            due = await asyncio.to_thread(_due, database)
            # In order, but side by side for each project: a dead receiver holds up nobody else's.
            of: dict[str, list[Delivery]] = {}
            for delivery in due:
                of.setdefault(delivery.project, []).append(delivery)
            telling = [_tell(session, database, config.webhook_of(name), ones) for name, ones in of.items()]
            await asyncio.gather(*telling)
            await asyncio.sleep(LOOK_SECONDS)


async def _tell(
    session: aiohttp.ClientSession, database: Database, webhook: Webhook | None, due: Sequence[Delivery]
) -> None:
    for delivery in due:
        good = webhook is None or await _send(session, webhook, delivery)
        await asyncio.to_thread(_settle, database, delivery, good)


def _due(database: Database) -> list[Delivery]:
    with database.read() as connection:
        return deliveries.due(connection, time.time())


def _settle(database: Database, delivery: Delivery, good: bool) -> None:
    with database.write() as connection:
        if good:
            deliveries.done(connection, delivery.id)
        elif not deliveries.failed(connection, delivery, time.time()):
            log.error("webhook %s for %s is given up", delivery.type, delivery.job_id)


async def _send(session: aiohttp.ClientSession, webhook: Webhook, delivery: Delivery) -> bool:
    content = body(delivery)
    signed = headers(webhook.key, delivery.id, int(time.time()), content)
    try:
        async with session.post(webhook.url, data=content, headers=signed, allow_redirects=False) as answer:
            if answer.status < 300:
                return True
            log.warning("webhook %s was answered with %s", delivery.id, answer.status)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("webhook %s was not delivered: %s", delivery.id, error or type(error).__name__)
    return False

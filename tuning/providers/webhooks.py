"""What a provider says on its own: only which job to ask about, and only when it is signed."""

from __future__ import annotations

from collections.abc import Mapping

from openai import AsyncOpenAI

from tuning.errors import NotGenuine
from tuning.providers import reading

JOB_EVENTS = "fine_tuning.job."


def told_of(client: AsyncOpenAI, body: bytes, headers: Mapping[str, str], secret: str) -> str | None:
    """The id of the job that a webhook is about; ``None`` for a webhook about anything else.

    The scheme is Standard Webhooks: an HMAC over id, time and body, refused after five minutes.

    Raises:
        NotGenuine: the signature, its time or the body does not fit.
    """
    try:
        event = reading.mapping(client.webhooks.unwrap(body, dict(headers), secret=secret))
    except (ValueError, TypeError, AttributeError) as problem:  # the SDK's signature error is a ValueError
        raise NotGenuine from problem
    if not str(event.get("type")).startswith(JOB_EVENTS):
        return None
    return reading.text(reading.mapping(event.get("data")).get("id"))

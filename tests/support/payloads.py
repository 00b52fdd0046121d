"""Every payload that a test sends is held against the block schema and the limits table of ``localslack``.

:func:`held` is switched on for all tests in ``tests/conftest.py``, but for those about refusals themselves.
It looks at every call of the Slack client and at every message that the bot makes; stand-ins of the client
call :func:`hold`. Where the bot is a program of its own, ``localslack`` is asked at the end what it refused.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.answer import Message
from localslack.blocks import check_blocks, check_chunks, check_view

MAX_TEXT = {"chat.update": 4_000, "update": 4_000, "chat_update": 4_000}
LONGEST_TEXT = 40_000
CHECKS = {
    "blocks": lambda blocks: check_blocks(blocks, "message"),
    "view": check_view,
    "chunks": check_chunks,
}


def problems(method: str, arguments: Mapping[str, Any]) -> list[str]:
    """What Slack would refuse in the arguments of a method."""
    found = [
        f"{method} {name}: {words}"
        for name, check in CHECKS.items()
        if arguments.get(name) and (words := check(_read(arguments[name])))
    ]
    if len(str(arguments.get("text") or "")) > MAX_TEXT.get(method, LONGEST_TEXT):
        found.append(f"{method} text: longer than Slack takes")
    return found


def hold(method: str, arguments: Mapping[str, Any]) -> None:
    """For stand-ins of the Slack client: fails where Slack would refuse."""
    assert problems(method, arguments) == []


def _read(value: Any) -> Any:
    if isinstance(value, str):
        return json.loads(value)
    items = value if isinstance(value, list) else [value]
    plain = [item if isinstance(item, dict) else item.to_dict() for item in items]
    return plain if isinstance(value, list) else plain[0]


@contextmanager
def held(patch: pytest.MonkeyPatch) -> Generator[list[str]]:
    """Collects what is wrong with what is sent while it is open."""
    found: list[str] = []
    call, send, make = AsyncWebClient.api_call, AsyncWebhookClient.send_dict, Message.__init__

    async def api_call(self: AsyncWebClient, api_method: str, **more: Any) -> Any:
        given = more.get("json") or more.get("params") or more.get("data") or {}
        found.extend(problems(api_method, given))
        return await call(self, api_method, **more)

    async def send_dict(self: AsyncWebhookClient, body: dict[str, Any], *more: Any, **named: Any) -> Any:
        found.extend(problems("response_url", body))
        return await send(self, body, *more, **named)

    def init(self: Message, text: str, blocks: list[Any] | None = None) -> None:
        make(self, text, [] if blocks is None else blocks)
        found.extend(problems("a message of the bot", {"text": text, "blocks": blocks}))

    patch.setattr(AsyncWebClient, "api_call", api_call)
    patch.setattr(AsyncWebhookClient, "send_dict", send_dict)
    patch.setattr(Message, "__init__", init)
    yield found

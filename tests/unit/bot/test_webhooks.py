"""Webhooks wake the watch, and only what the provider signed does."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

import aiohttp
import pytest

from bot.health import Health, serving
from bot.webhooks import LARGEST, Webhooks
from storage.store import Store
from trainserver.webhooks import headers
from tuning.providers import ProviderConfig, Providers

KEY = b"0123456789abcdef01234567"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


class PlayedEngine:
    """Follows one job and notes what it was told of."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def told_of(self, provider: str, job_id: str) -> bool:
        self.told.append((provider, job_id))
        return job_id == "ftjob-1"


@pytest.fixture
def engine() -> PlayedEngine:
    return PlayedEngine()


@pytest.fixture
async def address(engine: PlayedEngine, tmp_path: Any) -> AsyncGenerator[str]:
    store = Store(tmp_path / "ftbot.db")
    silent = ProviderConfig("silent", "http://127.0.0.1:1/v1", "sk-2")
    providers = Providers([ProviderConfig("openai", "http://127.0.0.1:1/v1", "sk-1", SECRET), silent])
    routes = Webhooks(providers, cast(Any, engine)).routes()
    health = Health(store, lambda: 0.0, lambda: True, time.time, routes)
    async with serving(health, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/webhooks"
    await providers.close()
    await store.close()


def event(kind: str = "fine_tuning.job.succeeded", job: str = "ftjob-1") -> bytes:
    return json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"id": job}}).encode()


async def post(url: str, body: bytes, signed: dict[str, str]) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=signed) as answer:
        assert SECRET not in await answer.text()
        return answer.status


def sign(body: bytes, *, age: float = 0.0) -> dict[str, str]:
    return headers(KEY, "evt_1", int(time.time() - age), body)


async def test_a_signed_webhook_wakes_its_job_and_a_repeated_one_does_no_harm(
    address: str, engine: PlayedEngine
) -> None:
    for _ in range(2):
        assert await post(f"{address}/openai", event(), sign(event())) == 204
    assert engine.told == [("openai", "ftjob-1")] * 2


async def test_a_job_that_is_not_ours_is_taken_without_a_word(address: str, engine: PlayedEngine) -> None:
    assert await post(f"{address}/openai", event(job="other"), sign(event(job="other"))) == 204


async def test_a_webhook_about_something_else_wakes_nothing(address: str, engine: PlayedEngine) -> None:
    body = event("batch.completed")
    assert await post(f"{address}/openai", body, sign(body)) == 204
    assert engine.told == []


FALSE: dict[str, tuple[bytes, Callable[[], dict[str, str]]]] = {
    "unsigned": (event(), dict),
    "wrong": (event(), lambda: sign(event()) | {"webhook-signature": "v1,AAAA"}),
    "odd": (event(), lambda: sign(event()) | {"webhook-signature": "nonsense"}),
    "odd time": (event(), lambda: sign(event()) | {"webhook-timestamp": "soon"}),
    "under another id": (event(), lambda: sign(event()) | {"webhook-id": "evt_2"}),
    "about another job": (event(job="ftjob-2"), lambda: sign(event())),
    "too old": (event(), lambda: sign(event(), age=400)),
    "of tomorrow": (event(), lambda: sign(event(), age=-86_400)),
    "no json": (b"no json", lambda: sign(b"no json")),
    "no text": (b"\xff\xfe", lambda: sign(b"\xff\xfe")),
}


@pytest.mark.parametrize("fault", FALSE)
async def test_what_the_provider_did_not_sign_just_now_is_refused(
    address: str, engine: PlayedEngine, fault: str
) -> None:
    body, signed = FALSE[fault]
    assert await post(f"{address}/openai", body, signed()) == 400
    assert engine.told == []


@pytest.mark.parametrize("body", [b"[]", b"{}", b'"text"', b'{"type": "fine_tuning.job.failed", "data": []}'])
async def test_a_signed_body_of_another_shape_wakes_nothing(
    address: str, engine: PlayedEngine, body: bytes
) -> None:
    assert await post(f"{address}/openai", body, sign(body)) in (204, 400)
    assert engine.told == []


async def test_a_provider_without_a_secret_cannot_call(address: str, engine: PlayedEngine) -> None:
    for name in ("silent", "unknown"):
        assert await post(f"{address}/{name}", event(), sign(event())) == 404


async def test_a_body_larger_than_a_webhook_is_not_read(address: str, engine: PlayedEngine) -> None:
    body = b"x" * (LARGEST + 1)
    assert await post(f"{address}/openai", body, sign(body)) == 413


async def test_without_any_secret_there_is_no_route(engine: PlayedEngine) -> None:
    providers = Providers([ProviderConfig("openai", None, "sk-1")])
    assert Webhooks(providers, cast(Any, engine)).routes() == []
    await providers.close()

"""What a watcher over ftbot sees."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import aiohttp
import prometheus_client
import pytest

import bot.webhooks
import handlers.meters
import tuning.providers.meters
from bot.health import Health, serving
from storage import inbox
from storage.records import InboxItem
from storage.store import Store

ROOT = Path(__file__).parents[3]


class Bot:
    """What the health of a bot is made of."""

    silence = 1.0
    connected = True


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store]:
    made = Store(tmp_path / "ftbot.db")
    yield made
    await made.close()


async def get(store: Store, bot: Bot, path: str) -> tuple[int, str]:
    health = Health(store, lambda: bot.silence, lambda: bot.connected, lambda: 100.0)
    async with (
        serving(health, "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_a_bot_that_hears_slack_and_can_write_is_ready(store: Store) -> None:
    assert await get(store, Bot(), "/readyz") == (200, "ready\n")
    assert (await get(store, Bot(), "/healthz"))[0] == 200


async def test_a_deaf_bot_is_alive_and_not_ready(store: Store) -> None:
    bot = Bot()
    bot.silence = 90.0
    status, words = await get(store, bot, "/readyz")
    assert (status, "90 s" in words) == (503, True)
    assert (await get(store, bot, "/healthz"))[0] == 200


async def test_a_bot_that_never_connected_is_not_ready(store: Store) -> None:
    bot = Bot()
    bot.connected = False
    assert (await get(store, bot, "/readyz"))[0] == 503


async def test_the_queues_are_counted_when_somebody_looks(store: Store) -> None:
    await store.write(lambda db: inbox.put(db, InboxItem(0, "k", None, "message", {}, 1.0)))
    status, text = await get(store, Bot(), "/metrics")
    assert status == 200
    assert 'ftbot_queue_depth{queue="inbox"} 1.0' in text


def test_every_metric_stands_on_the_page_and_every_name_on_the_page_exists() -> None:
    assert bot.webhooks.WEBHOOKS  # importing them registers their names
    assert handlers.meters.EVENTS
    assert tuning.providers.meters.CALLS
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    told = set(re.findall(r"^\| `(ftbot_\w+)", page, re.M))
    known = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in prometheus_client.REGISTRY.collect()
        if family.name.startswith("ftbot_")
    }
    assert told == known

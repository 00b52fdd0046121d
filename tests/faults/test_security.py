"""What the running bot leaves behind: logs, files, metrics and messages hold no secret and nobody's words."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio

import bot.app
from storage import datasets
from storage.store import Store
from tests.faults.inside import bot_inside, free_port
from tests.faults.places import FaultyPlace, Json, Played, faulty_place, train
from tests.support.provider import BASE
from tests.support.samples import a_dataset
from tests.support.waiting import until
from tests.support.workspace import chat_file, choose, typed

TRAINED, ASKED, ANSWERED = "marmalade", "rhubarb", "gooseberry"
WORDS = (TRAINED, ASKED, ANSWERED)
HELD = {"metadata", "private_metadata", "value", "action_id", "block_id", "callback_id", "external_id"}
"""Where a message or view carries what its reader does not see."""


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncGenerator[FaultyPlace]:
    """A bot that logs all it ever logs, started by somebody whose files are open to everybody."""
    more = {"FTBOT_LOG_LEVEL": "debug", "FTBOT_HEALTH_PORT": str(free_port())}
    before = os.umask(0)
    try:
        async with faulty_place(tmp_path, **more) as running:
            os.umask(before)
            yield running
    finally:
        os.umask(before)


def secrets(place: FaultyPlace) -> tuple[str, ...]:
    programs = place.programs
    return programs.bot_token, programs.app_token, programs.api_key


async def a_life(place: FaultyPlace, channel: str) -> None:
    """A job that the provider refuses with unwelcome words, one that trains, an answer and a failing one."""
    key, card = place.programs.api_key, cast("Json", {})
    for number, name in enumerate(("plum", "pear")):
        if not number:
            unwelcome = f"The key {key} may not send “{TRAINED}”"
            place.provider.fault("POST", "/fine_tuning/jobs", status=400, code="no", message=unwelcome)
        await place.drop(channel, f"{name}.jsonl", chat_file(12, f"{TRAINED} {number}"))
        await place.ready(channel, number + 1)
        view = await place.open_form(channel)
        await place.submitted(view, choose(view, "dataset", f"{name}.jsonl") | typed(view, "name", name))
        card = await place.root(channel, f"{name}-1")
        if not number:
            await place.root(channel, "The key")
    await place.created(1)
    await train(place.provider, place.provider.jobs[0], pause=0.05)
    await place.finished(channel, card)
    place.provider.answer = lambda body: f"{ANSWERED} jam"
    asked = await place.jin.say(channel, f"@ftbot ask {BASE} why {ASKED}?")
    await place.reply(channel, asked, ANSWERED)
    unwelcome = f"Incorrect API key {key} for {ASKED}"
    place.provider.fault("POST", "/responses", status=401, code="invalid_api_key", message=unwelcome)
    asked = await place.jin.say(channel, f"@ftbot ask {BASE} and {ASKED}?")
    await place.reply(channel, asked, "The provider says")


def strings(found: object, held: bool = False) -> Iterator[str]:
    """Every text below that is ``held``: that stands, at any depth, under one of the names above."""
    if isinstance(found, str):
        try:
            inner = json.loads(found) if found[:1] in ("{", "[") else None
        except ValueError:
            inner = None
        if inner is not None:
            yield from strings(inner, held)
        elif held:
            yield found
    elif isinstance(found, dict):
        for name, value in cast("dict[str, Any]", found).items():
            yield from strings(value, held or name in HELD)
    elif isinstance(found, list):
        for value in cast("list[Any]", found):
            yield from strings(value, held)


async def test_nothing_that_the_bot_leaves_behind_holds_a_secret_or_the_words_of_somebody(
    place: FaultyPlace, tmp_path: Path
) -> None:
    channel = await place.channel(private=True)
    await a_life(place, channel)

    calls = (await place.control(calls=True))["calls"]
    said = json.dumps([call["args"] for call in calls], ensure_ascii=False)
    assert TRAINED in said  # what the provider said of the refused file is told, the key in it is not
    assert [one for one in secrets(place) if one in said] == []
    kept = list(strings([call["args"] for call in calls]))
    assert any(one.startswith("job_epoch") for one in kept)
    assert [one for one in kept if any(word in one for word in WORDS)] == []

    port = cast("Played", place.programs).more["FTBOT_HEALTH_PORT"]
    health = f"http://127.0.0.1:{port}/metrics"
    async with aiohttp.ClientSession() as web, web.get(health) as answer:
        metrics = await answer.text()
    assert "ftbot_jobs" in metrics
    private = (channel, "room-", "plum", "pear", *WORDS, *secrets(place), "local-")
    assert [one for one in private if one in metrics] == []

    log = (tmp_path / "bot.log").read_text("utf-8")
    assert '"level": "debug"' in log
    assert "answer_failed" in log
    assert [one for one in (*WORDS, *secrets(place)) if one in log] == []

    with closing(sqlite3.connect(tmp_path / "bot" / "ftbot.db")) as db:
        payloads = [row[0] for row in db.execute("SELECT payload FROM inbox WHERE state != 'new'")]
    assert set(payloads) == {"{}"}

    files = await asyncio.to_thread(lambda: list((tmp_path / "bot").rglob("*")))
    assert {"ftbot.db", "ftbot.lock", "datasets", "spool"} <= {one.name for one in files}
    assert [one for one in files if one.stat().st_mode & 0o077] == []
    assert not list((tmp_path / "bot" / "spool").iterdir())


async def test_files_kept_long_enough_are_deleted_soon_after_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often ftbot is restarted."""
    monkeypatch.setattr(bot.app, "FIRST_SWEEP", 0.1)
    kept = tmp_path / "bot" / "datasets" / "aa.jsonl.gz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"rows")
    long_ago = time.time() - 8 * 86_400
    store = Store(tmp_path / "bot" / "ftbot.db")
    refused = a_dataset(state="not_ready", sha256="aa", path=str(kept), created_at=long_ago)
    await store.write(lambda db: datasets.add(db, refused))
    await store.close()
    async with bot_inside(tmp_path):
        await until(lambda: not kept.exists())

"""A stop is clean whatever is under way: nothing is waited for without end, nothing raised."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot import app, workers
from bot.app import Bot
from bot.errors import StartError
from bot.settings import load


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bot:
    monkeypatch.chdir(tmp_path)
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "x")
    return Bot(load())


def test_a_check_that_is_under_way_does_not_hold_up_the_end(tmp_path: Path) -> None:
    pool = workers.Checkers()
    check = pool.submit(_never_done, tmp_path / "begun")
    _until(tmp_path / "begun")
    pool.end()
    with pytest.raises(BrokenProcessPool):
        check.result(timeout=60)


def test_a_check_whose_process_is_killed_is_begun_anew_once_and_the_next_one_works(tmp_path: Path) -> None:
    pool = workers.Checkers()
    try:
        assert pool.submit(_killed, tmp_path / "lives", 1).result(timeout=60) == "done"
        with pytest.raises(BrokenProcessPool):
            pool.submit(_killed, tmp_path / "more", 2).result(timeout=60)
        assert pool.submit(_killed, tmp_path / "none", 0).result(timeout=60) == "done"
    finally:
        pool.end()


def _never_done(begun: Path) -> None:
    begun.touch()
    time.sleep(3_600)


def _killed(lives: Path, times: int) -> str:
    """Kills its process as the system does when memory runs out, as often as ``times``."""
    with lives.open("a") as file:
        file.write("x")
    if lives.stat().st_size <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def _until(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_a_stop_while_ftbot_starts_breaks_the_start_off(bot: Bot) -> None:
    begun = asyncio.Event()

    async def start() -> None:
        begun.set()
        await asyncio.Event().wait()

    starting = asyncio.create_task(app._unless_stopped(start(), bot.stop))
    await begun.wait()
    bot.stop.set()
    await starting


async def test_what_fails_while_ftbot_starts_is_raised(bot: Bot) -> None:
    async def start() -> None:
        raise StartError("Slack refuses the tokens.")

    with pytest.raises(StartError, match="refuses"):
        await app._unless_stopped(start(), bot.stop)


@pytest.mark.parametrize(
    "problem", [TimeoutError(), aiohttp.ServerDisconnectedError(), ConnectionRefusedError("refused")]
)
async def test_a_start_without_slack_says_so_however_slack_is_missing(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    async def away(self: AsyncWebClient) -> None:
        raise problem

    monkeypatch.setattr(AsyncWebClient, "auth_test", away)
    with pytest.raises(StartError, match=r"Slack cannot be reached at .*: \w"):
        await app._who_am_i(AsyncWebClient(), None)


async def test_a_stop_before_slack_ever_answered_ends_the_run(bot: Bot) -> None:
    running = asyncio.create_task(bot.run())
    await asyncio.sleep(0)
    bot.stop.set()
    await running


async def test_a_part_that_dies_ends_ftbot_even_before_slack_answered(bot: Bot) -> None:
    async def die() -> None:
        raise RuntimeError("no more")

    bot._tasks = [asyncio.create_task(die(), name="delivery")]
    with pytest.raises(StartError, match="delivery ended: no more"):
        await bot.run()


async def test_work_that_never_ends_does_not_hold_up_the_end(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "GRACE_SECONDS", 0.01)
    order: list[str] = []

    def close(name: str, *, stuck: bool = False) -> Callable[[], Awaitable[None]]:
        async def done() -> None:
            order.append(name)
            if stuck:
                await asyncio.Event().wait()

        return done

    for name in ("store", "worker", "socket"):
        bot._stack.push_async_callback(close(name, stuck=name == "worker"))
    await bot.close()
    assert order == ["socket", "worker", "store"]

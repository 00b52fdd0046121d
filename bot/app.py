"""Builds the bot once, runs it, and takes it down again in order."""

from __future__ import annotations

import asyncio
import fcntl
import signal
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import aiohttp
import structlog
from apscheduler.schedulers.asyncio import (
    AsyncIOScheduler,
)
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import workers
from bot.errors import StartError
from bot.health import Health, serving
from bot.httpmode import HttpMode
from bot.settings import Settings
from bot.socket import SocketMode
from bot.webhooks import Webhooks
from handlers.catchup import CatchUp
from handlers.delivery import Delivery
from handlers.house import House
from handlers.register import register
from handlers.slackapi import code_of, text_in
from handlers.slackclient import PacedClient
from storage import inbox
from storage.errors import StoreUnusable
from storage.store import Store
from tuning.chat.service import Chat
from tuning.jobs.engine import Engine
from tuning.jobs.intake import Intake
from tuning.providers import Providers
from tuning.providers.warming import warm_up

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
"""How often the engine looks whether anything is due; what is due says each job's own interval."""
INBOX_SECONDS = 7 * 86_400.0
"""How long it is known that something was handled; Slack repeats for minutes, catching up reads a day."""
WARM_AFTER = 10.0
"""Seconds after the start in which nobody has asked a model yet, probably."""
SWEEP_SECONDS = 3600.0
"""How often it is looked whether kept files are old enough to be deleted."""
FIRST_SWEEP = 60.0
"""Seconds after the start: what is restarted often deletes in time as well."""
GRACE_SECONDS = 10.0
"""How long a stop waits for work under way; what is left is taken up at the next start."""


def _only_one(folder: Path) -> IO[str]:
    """Holds the lock of a data folder for the life of the process.

    Raises:
        StartError: another ftbot works in this folder, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "ftbot.lock").open("w")
    except OSError as problem:
        words = f"The data folder {folder} cannot be written: {problem}."
        raise StartError(f"{words} Make it writable, or set FTBOT_DATA.") from problem
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        lock.close()
        raise StartError(f"Another ftbot is running with the data in {folder}. Stop it first.") from problem
    return lock


async def _who_am_i(client: AsyncWebClient, app_token: str | None) -> tuple[str, str]:
    """The bot's user id and its team id, after the tokens were tried.

    Raises:
        StartError: Slack refuses a token or cannot be reached.
    """
    try:
        me = await client.auth_test()
        if app_token is not None:
            await client.apps_connections_open(app_token=app_token)
    except SlackApiError as problem:
        raise StartError(f"Slack refuses the tokens ({code_of(problem)}). Run `ftbot doctor`.") from problem
    except (TimeoutError, OSError, aiohttp.ClientError) as problem:
        why = str(problem) or type(problem).__name__
        raise StartError(f"Slack cannot be reached at {client.base_url}: {why}.") from problem
    return text_in(me, "user_id"), text_in(me, "team_id")


def _session() -> aiohttp.ClientSession:
    """The connections to Slack, kept for less time than Slack's side keeps them."""
    connector = aiohttp.TCPConnector(keepalive_timeout=4.0)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30), trust_env=True)


def _warm_up() -> None:
    asyncio.get_running_loop().run_in_executor(None, warm_up)


class Bot:
    """The running bot; build it with :meth:`start`, then wait in :meth:`run`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stop = asyncio.Event()
        self.connected = asyncio.Event()
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Opens everything, lowest floor first, and connects to Slack.

        Raises:
            StartError: Slack or the data folder cannot be used.
            StoreUnusable: the database cannot be used.
        """
        settings = self.settings
        lock = _only_one(settings.ftbot_data)
        self._stack.callback(lock.close)
        self.store = store = Store(settings.database)
        self._stack.push_async_callback(store.close)
        bot_token = settings.slack_bot_token.get_secret_value()
        session = await self._stack.enter_async_context(_session())
        client = PacedClient(token=bot_token, base_url=settings.api_url, session=session)
        bot_user, team = await _who_am_i(client, settings.app_token)
        house = self._build_house(store, client, bot_user, team, bot_token)
        app = AsyncApp(client=client, logger=None, signing_secret=settings.signing_secret or "")
        catchup = CatchUp(house)
        await catchup.load()
        worker = register(app, house, catchup)
        slack = self._way_in(app, catchup)
        self._stack.push_async_callback(catchup.keep)
        self._stack.push_async_callback(self._end_tasks)
        self._tasks = [
            asyncio.create_task(worker.run(), name="worker"),
            asyncio.create_task(Delivery(house).run(), name="delivery"),
            asyncio.create_task(catchup.run(), name="catch-up"),
        ]
        if isinstance(slack, SocketMode):
            self._tasks.append(asyncio.create_task(slack.watch.run(), name="socket watch"))
        await self._serve_health(store, slack, Webhooks(house.providers, house.engine))
        self._schedule(house.engine, house.intake)
        # A stop begins at the end of this list: nothing more comes in, then what is under way may end.
        self._stack.push_async_callback(worker.close)
        self._stack.push_async_callback(slack.close)
        await slack.open()
        warming = asyncio.get_running_loop().call_later(WARM_AFTER, _warm_up)
        self._stack.callback(warming.cancel)
        log.info("started", team=team, providers=list(house.providers.names))

    def _build_house(
        self, store: Store, client: AsyncWebClient, bot_user: str, team: str, bot_token: str
    ) -> House:
        settings = self.settings
        providers = Providers(settings.providers())
        self._stack.push_async_callback(providers.close)
        pool = workers.Checkers()
        self._stack.callback(pool.end)
        kept = settings.ftbot_data / "datasets"
        spool = settings.ftbot_data / "spool"
        for folder in (kept, spool):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        intake = Intake(store, providers, time.time, pool, kept, settings.ftbot_upload, settings.keep_days)
        engine = Engine(
            store,
            providers,
            time.time,
            intake,
            poll_min=settings.ftbot_poll_seconds,
            max_job_usd=settings.ftbot_max_job_usd,
        )
        self._stack.push_async_callback(engine.close)
        return House(
            store=store,
            engine=engine,
            intake=intake,
            chat=Chat(store, providers, time.time, month_tokens=settings.ftbot_chat_tokens_per_month),
            providers=providers,
            client=client,
            clock=time.time,
            command=settings.ftbot_command,
            bot_user_id=bot_user,
            team_id=team,
            spool=spool,
            file_hosts=settings.file_hosts,
            max_file_bytes=settings.max_file_bytes,
            bot_token=bot_token,
            admins=settings.admins,
            guests=settings.ftbot_guests == "allow",
        )

    def _way_in(self, app: AsyncApp, catchup: CatchUp) -> SocketMode | HttpMode:
        def opened() -> None:
            catchup.connected()
            self.connected.set()

        if self.settings.app_token is not None:
            return SocketMode(app, self.settings.app_token, opened)
        return HttpMode(app, self.settings.signing_secret or "", opened)

    async def _serve_health(self, store: Store, slack: SocketMode | HttpMode, webhooks: Webhooks) -> None:
        port = self.settings.ftbot_health_port
        if webhooks.wanted and not port:
            log.warning("webhooks_not_served", todo="A webhook secret is set: set FTBOT_HEALTH_PORT as well.")
        if port:
            routes = [*webhooks.routes(), *slack.routes()]
            health = Health(store, slack.silence, self.connected.is_set, time.time, routes)
            await self._stack.enter_async_context(serving(health, self.settings.ftbot_health_host, port))

    def _schedule(self, engine: Engine, intake: Intake) -> None:
        scheduler = AsyncIOScheduler()
        scheduler.add_job(
            engine.tick,
            "interval",
            seconds=TICK_SECONDS,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        scheduler.add_job(
            intake.sweep,
            "interval",
            seconds=SWEEP_SECONDS,
            coalesce=True,
            misfire_grace_time=None,
            next_run_time=datetime.now(UTC) + timedelta(seconds=FIRST_SWEEP),
        )
        scheduler.add_job(
            self._forget, "interval", seconds=SWEEP_SECONDS, coalesce=True, misfire_grace_time=None
        )
        scheduler.start()
        self._stack.callback(scheduler.shutdown, wait=False)

    async def _forget(self) -> None:
        """Lets go of the keys of what was handled long ago."""
        before = time.time() - INBOX_SECONDS
        try:
            await self.store.write(lambda db: inbox.forget(db, before))
        except StoreUnusable as problem:
            log.error("inbox_not_swept", problem=str(problem))

    async def run(self) -> None:
        """Works until told to stop, or until one of its parts dies.

        Raises:
            StartError: a part ended that never should; the process should be started again.
        """
        await self._first_of(self.connected)
        if self.stop.is_set():
            return
        print("ftbot ready", flush=True)
        await self._first_of(self.stop)

    async def _first_of(self, event: asyncio.Event) -> None:
        """Waits for the event or a stop; a part that ends meanwhile ends the bot."""
        waiters = [asyncio.create_task(one.wait()) for one in {event, self.stop}]
        done, _ = await asyncio.wait([*waiters, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        for waiter in waiters:
            waiter.cancel()
        for task in done - set(waiters):
            problem = None if task.cancelled() else task.exception()
            raise StartError(f"ftbot's {task.get_name()} ended: {problem}. Start ftbot again.") from problem

    async def close(self) -> None:
        """Stops intake first, then lets work under way end for a while, then closes the store."""
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await self._stack.aclose()
        except TimeoutError:
            log.warning("stopped_before_all_was_done", todo="It is on record and taken up at the next start.")
        else:
            log.info("stopped")

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def serve(settings: Settings) -> None:
    """Runs the bot from start to clean end; SIGTERM and SIGINT end it.

    Raises:
        BotError: it could not start, or a part of it died.
        StoreUnusable: the database cannot be used.
    """
    bot = Bot(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bot.stop.set)
    try:
        await _unless_stopped(bot.start(), bot.stop)
        await bot.run()
    finally:
        await bot.close()


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Does the work, or breaks it off when a stop comes first."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        if not stop.is_set():
            raise

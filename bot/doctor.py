"""``ftbot doctor``: looks at everything ftbot needs and says for each what to do."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SettingsError
from bot.httpmode import PATH
from bot.manifest import additions, manifest, remember, remembered
from bot.settings import Settings, load
from bot.setup import missing_scopes
from handlers.slackapi import code_of, header_in, text_in
from storage.errors import StoreError
from storage.store import Store
from tuning.errors import TuningError
from tuning.providers import ProviderConfig, Providers

MIN_FREE_BYTES = 1024**3
MAX_CLOCK_SKEW_SECONDS = 60
CLOCK_NOTE = "Slack refuses signatures that are 5 minutes off; let the machine's clock follow NTP."


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``todo`` says what to do when it is not ``ok``."""

    what: str
    ok: bool
    detail: str
    todo: str = ""

    def line(self) -> str:
        """The finding as people read it."""
        mark = "✓" if self.ok else "✗"
        todo = f"\n    → {self.todo}" if self.todo and not self.ok else ""
        return f"{mark} {self.what}: {self.detail}{todo}"


async def examine(say: Callable[[str], None], *, pasted: bool = False) -> bool:
    """Looks at everything and says it line by line; ``True`` when nothing is wrong.

    ``pasted``: the manifest of this version was pasted into the app's settings just now.
    """
    try:
        settings = load()
    except SettingsError as problem:
        say(Finding("Settings", False, str(problem), "See .env.example for every setting.").line())
        return False
    say(Finding("Settings", True, "complete").line())
    good = True
    async for finding in _findings(settings, pasted):
        say(finding.line())
        good = good and finding.ok
    return good


async def _findings(settings: Settings, pasted: bool) -> AsyncIterator[Finding]:
    good = True
    store = await _store(settings)
    yield store
    client = AsyncWebClient(
        token=settings.slack_bot_token.get_secret_value(), base_url=settings.api_url, timeout=15
    )
    async for finding in _slack(client):
        yield finding
        good = good and finding.ok
    if good and store.ok:
        yield _manifest(settings, pasted=pasted)
    yield await _way_in(client, settings)
    try:
        configs = settings.providers()
    except SettingsError as problem:
        yield Finding("Providers", False, str(problem))
        return
    for config in configs:
        yield await _provider(config)


async def _store(settings: Settings) -> Finding:
    folder = settings.ftbot_data
    if damage := await asyncio.to_thread(_damage, settings.database):
        return Finding("Store", False, f"{settings.database} is damaged: {damage}", "Restore a backup.")
    try:
        store = Store(settings.database)
        await store.close()
    except StoreError as problem:
        return Finding("Store", False, str(problem), f"Make {folder} writable, or set FTBOT_DATA.")
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        return Finding("Store", False, f"only {free // 1024**2} MB free in {folder}", "Free at least 1 GB.")
    return Finding("Store", True, f"{settings.database}, {free // 1024**3} GB free")


def _damage(database: Path) -> str:
    """What is wrong inside the file; empty where nothing is, or where it cannot be opened at all."""
    if not database.is_file():
        return ""
    try:
        with closing(sqlite3.connect(database)) as conn:
            verdict = str(conn.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.OperationalError:  # the store says why
        return ""
    except sqlite3.DatabaseError as problem:
        return str(problem)
    return "" if verdict == "ok" else verdict.splitlines()[-1]


async def _slack(client: AsyncWebClient) -> AsyncIterator[Finding]:
    try:
        answer = await client.auth_test()
    except SlackApiError as problem:
        code = code_of(problem)
        yield Finding(
            "Bot token", False, f"Slack says {code}", "Copy SLACK_BOT_TOKEN from OAuth & Permissions."
        )
        return
    except (TimeoutError, OSError) as problem:
        yield Finding(
            "Slack", False, f"{client.base_url} cannot be reached ({problem})", "Check SLACK_API_URL."
        )
        return
    yield Finding("Bot token", True, f"{text_in(answer, 'user')} in {text_in(answer, 'team')}")
    yield _scopes(header_in(answer, "x-oauth-scopes"))
    yield _clock(header_in(answer, "date"))


def _scopes(granted: str) -> Finding:
    if missing := missing_scopes(granted):
        todo = "Paste the manifest of `ftbot manifest` into the app's settings and install the app again."
        return Finding("Scopes", False, "missing " + ", ".join(missing), todo)
    return Finding("Scopes", True, f"all {len(granted.split(','))} granted")


def _manifest(settings: Settings, *, pasted: bool) -> Finding:
    """What this version's manifest has beyond the one that was pasted; the first one counts as pasted."""
    command = settings.ftbot_command
    installed = remembered(settings.ftbot_data)
    if pasted or installed is None:
        remember(settings.ftbot_data, command)
        return Finding("Manifest", True, "remembered as pasted into the app's settings")
    if new := additions(installed, manifest(command)):
        named = command if command != "/ft" else ""
        print_it = f"ftbot manifest --command {named}" if named else "ftbot manifest"
        todo = f"Paste what `{print_it}` prints into the app's settings, then run `ftbot doctor --pasted`."
        return Finding("Manifest", False, "this version adds " + ", ".join(new), todo)
    return Finding("Manifest", True, "nothing new since it was pasted")


def _clock(date: str) -> Finding:
    if not date:
        return Finding("Clock", True, "not compared: Slack's answer carried no date")
    skew = abs(parsedate_to_datetime(date).timestamp() - time.time())
    if skew > MAX_CLOCK_SKEW_SECONDS:
        return Finding("Clock", False, f"{skew:.0f} s away from Slack's", CLOCK_NOTE)
    return Finding("Clock", True, "agrees with Slack's")


async def _way_in(client: AsyncWebClient, settings: Settings) -> Finding:
    """Socket Mode where its token is set, else HTTP mode."""
    if settings.app_token is None:
        where = f"http://{settings.ftbot_health_host}:{settings.ftbot_health_port}{PATH}"
        detail = (
            f"signed requests are taken at {where}; the request URLs in the app's settings must lead there"
        )
        return Finding("HTTP mode", True, detail)
    found = await _app_token(client, settings.app_token)
    if settings.signing_secret is None:
        return found
    both = "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both set, so it is Socket Mode"
    return replace(found, detail=f"{found.detail} ({both})")


async def _app_token(client: AsyncWebClient, token: str) -> Finding:
    try:
        await client.apps_connections_open(app_token=token)
    except SlackApiError as problem:
        code = code_of(problem)
        todo = (
            "Make an app-level token with connections:write and set SLACK_APP_TOKEN; switch Socket Mode on."
        )
        return Finding("App token", False, f"Slack says {code}", todo)
    except (TimeoutError, OSError) as problem:
        return Finding("App token", False, f"Slack cannot be reached ({problem})", "Check SLACK_API_URL.")
    return Finding("App token", True, "Socket Mode opens")


async def _provider(config: ProviderConfig) -> Finding:
    what = f"Provider {config.name}"
    providers = Providers([config])
    try:
        profile = await providers.default.profile()
    except TuningError as problem:
        return Finding(what, False, str(problem), problem.todo or "Check the address and the key.")
    finally:
        await providers.close()
    if not profile.bases:
        return Finding(what, False, "offers no base that can be fine-tuned", "Choose another provider.")
    names = ", ".join(base.model for base in profile.bases[:3])
    return Finding(what, True, f"{profile.label}: {len(profile.bases)} bases to train ({names})")

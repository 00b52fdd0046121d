"""``ftbot setup``: leads through a real workspace, each step verified before the next.

What is pasted is tried at Slack at once, so that a wrong token is found where it was pasted.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import yaml
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SettingsError
from bot.manifest import manifest_text
from handlers.slackapi import code_of, header_in, text_in

NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json="
LONGEST_LINK = 8_000
"""Characters of an address that browsers and Slack take for certain."""
SLACK_API = "https://slack.com/api/"


def create_link(manifest: str) -> str | None:
    """The address that opens Slack's create-app page filled in; ``None`` when it would be too long."""
    filled = json.dumps(yaml.safe_load(manifest), separators=(",", ":"))
    link = NEW_APP + quote(filled, safe="")
    return link if len(link) <= LONGEST_LINK else None


async def check_bot_token(token: str, api: str = SLACK_API) -> str:
    """Tries a bot token and its scopes; answers who it is. Raises SettingsError with what to do."""
    if not token.startswith("xoxb-"):
        raise SettingsError("A bot token begins with xoxb-. It stands under OAuth & Permissions.")
    try:
        me = await AsyncWebClient(token=token, base_url=api, timeout=15).auth_test()
    except SlackApiError as problem:
        raise SettingsError(f"Slack refuses this bot token ({code_of(problem)}). Copy it again.") from problem
    except (TimeoutError, OSError) as problem:
        raise SettingsError(f"Slack cannot be reached: {problem}.") from problem
    if missing := missing_scopes(header_in(me, "x-oauth-scopes")):
        raise SettingsError(
            f"This app may not do everything: {', '.join(missing)} missing. Paste the manifest above under"
            " App Manifest, install the app again and copy the new token."
        )
    return f"{text_in(me, 'user')} in {text_in(me, 'team')}"


def missing_scopes(granted: str) -> list[str]:
    """Scopes of the manifest that are not granted; ``granted`` has commas between them, as Slack's header."""
    wanted: set[str] = set(yaml.safe_load(manifest_text("/ft"))["oauth_config"]["scopes"]["bot"])
    return sorted(wanted - {scope.strip() for scope in granted.split(",")})


async def check_app_token(token: str, api: str = SLACK_API) -> str:
    """Tries an app-level token. Raises SettingsError with what to do."""
    if not token.startswith("xapp-"):
        raise SettingsError("An app-level token begins with xapp-. It stands under Basic Information.")
    try:
        await AsyncWebClient(base_url=api, timeout=15).apps_connections_open(app_token=token)
    except SlackApiError as problem:
        raise SettingsError(
            f"Slack refuses this app token ({code_of(problem)}). It needs the scope connections:write."
        ) from problem
    except (TimeoutError, OSError) as problem:
        raise SettingsError(f"Slack cannot be reached: {problem}.") from problem
    return "Socket Mode opens"


async def first_event(app_token: str, api: str = SLACK_API, seconds: float = 300.0) -> bool:
    """Waits until Slack sends anything; ``False`` when nothing came in time.

    What comes is not acknowledged, so Slack sends it again once the bot runs.
    """
    client = SocketModeClient(app_token=app_token, web_client=AsyncWebClient(base_url=api))
    heard = asyncio.Event()

    async def listen(_client: object, _request: object) -> None:
        heard.set()

    client.socket_mode_request_listeners.append(listen)
    try:
        await client.connect()
        with suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), seconds)
    finally:
        await client.close()
    return heard.is_set()


def write_env(path: Path, values: dict[str, str]) -> None:
    """Sets these lines in ``.env`` and leaves the others; the file is readable by its owner alone."""
    old = path.read_text("utf-8").splitlines() if path.is_file() else []
    kept = [line for line in old if line.partition("=")[0].strip() not in values]
    lines = [*kept, *(f"{name}={value}" for name, value in values.items())]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    path.chmod(0o600)


def _asked(question: str, check: Callable[[str], Coroutine[Any, Any, str]]) -> str:
    """Asks until what is pasted is good."""
    while True:
        value: str = click.prompt(question, hide_input=True).strip()
        try:
            said = asyncio.run(check(value))
        except SettingsError as problem:
            click.echo(f"✗ {problem}")
        else:
            click.echo(f"✓ {said}")
            return value


@click.command()
@click.option("--command", default="/ft", show_default=True, help="The slash command to register.")
@click.option("--env", "env", type=click.Path(dir_okay=False, path_type=Path), default=Path(".env"))
@click.option("--api-url", default=SLACK_API, hidden=True)
@click.option("--no-wait", is_flag=True, help="Do not wait for the first event.")
def setup(command: str, env: Path, api_url: str, no_wait: bool) -> None:
    """Leads through a real workspace: app, tokens, invitation, first event."""
    try:
        manifest = manifest_text(command)
    except SettingsError as problem:
        raise click.BadParameter(str(problem), param_hint="--command") from problem
    click.echo("1. Make the app. Open this address and press Create:\n")
    click.echo(create_link(manifest) or "https://api.slack.com/apps?new_app=1")
    click.echo("\n   Or choose From a manifest there and paste this:\n")
    click.echo(manifest)
    click.echo("\n2. Install App → Install to Workspace, then copy the Bot User OAuth Token.")
    bot = _asked("   SLACK_BOT_TOKEN", lambda token: check_bot_token(token, api_url))
    click.echo("3. Basic Information → App-Level Tokens → Generate, with connections:write.")
    app = _asked("   SLACK_APP_TOKEN", lambda token: check_app_token(token, api_url))
    values = {"SLACK_BOT_TOKEN": bot, "SLACK_APP_TOKEN": app}
    if command != "/ft":
        values["FTBOT_COMMAND"] = command
    write_env(env, values)
    click.echo(f"   Written to {env}. Set OPENAI_API_KEY there too, or write a providers.toml.")
    click.echo("4. In a channel, type:  /invite @ftbot   and then:  @ftbot hello")
    if no_wait:
        return
    click.echo("   Waiting for the first event (five minutes at most; Ctrl-C leaves it at that)…")
    if not asyncio.run(first_event(app, api_url)):
        raise click.ClickException("Nothing came in five minutes. Is Socket Mode on, and the bot invited?")
    click.echo("✓ Slack talks to ftbot. Now: ftbot doctor, then ftbot run")

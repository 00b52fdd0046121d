"""ftbot setup: the link, the checks of what is pasted, the wait for the first event, the file it writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import unquote

import aiohttp
import pytest
import yaml
from click.testing import CliRunner, Result

from bot.errors import SettingsError
from bot.manifest import manifest_text
from bot.setup import (
    NEW_APP,
    check_app_token,
    check_bot_token,
    create_link,
    first_event,
    missing_scopes,
    setup,
    write_env,
)
from localslack.app import Options, running
from localslack.world import World
from tests.support.surfaces import Person
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with running(Options(data=tmp_path / "slack", manifest=ROOT / "manifest.yml")) as made:
        yield made


def api(world: World) -> str:
    return f"{world.base_url}/api/"


async def asked(world: World, *arguments: str, pasted: list[str]) -> Result:
    """Runs setup and pastes these lines."""
    options = ["--api-url", api(world), *arguments]
    return await asyncio.to_thread(CliRunner().invoke, setup, options, input="\n".join(pasted) + "\n")


async def speak(world: World) -> None:
    """Waits until an app is connected, then mentions it."""
    async with aiohttp.ClientSession() as session:
        jin = Person(session, world.base_url, "jin")
        await until(lambda: bool(world.delivery.wires))
        await jin.say("tuning", "@ftbot hello")


def test_the_link_opens_the_page_with_the_whole_manifest_and_the_chosen_command() -> None:
    link = create_link(manifest_text("/tune"))
    assert link is not None
    manifest = json.loads(unquote(link.removeprefix(NEW_APP)))
    assert manifest["features"]["slash_commands"][0]["command"] == "/tune"
    assert "chat:write" in manifest["oauth_config"]["scopes"]["bot"]


async def test_tokens_are_tried_as_they_are_pasted(world: World) -> None:
    assert " in " in await check_bot_token(world.me.bot_token, api(world))
    assert await check_app_token(world.me.app_token, api(world)) == "Socket Mode opens"
    with pytest.raises(SettingsError, match="refuses this bot token"):
        await check_bot_token("xoxb-wrong", api(world))
    with pytest.raises(SettingsError, match="refuses this app token"):
        await check_app_token("xapp-wrong", api(world))
    with pytest.raises(SettingsError, match="begins with xapp-"):
        await check_app_token(world.me.bot_token, api(world))
    with pytest.raises(SettingsError, match="cannot be reached"):
        await check_bot_token("xoxb-any", "http://127.0.0.1:9/api/")


async def test_an_app_that_lacks_scopes_is_told_apart(tmp_path: Path) -> None:
    manifest = yaml.safe_load(manifest_text("/ft"))
    manifest["oauth_config"]["scopes"]["bot"].remove("files:read")
    (tmp_path / "manifest.yml").write_text(yaml.safe_dump(manifest))
    async with running(Options(data=tmp_path / "slack", manifest=tmp_path / "manifest.yml")) as world:
        with pytest.raises(SettingsError, match="files:read missing"):
            await check_bot_token(world.me.bot_token, api(world))
    assert (
        missing_scopes(",".join(yaml.safe_load(manifest_text("/ft"))["oauth_config"]["scopes"]["bot"])) == []
    )


async def test_setup_asks_again_after_a_wrong_token_and_ends_with_the_first_event(
    world: World, tmp_path: Path
) -> None:
    env = tmp_path / ".env"
    pasted = ["xoxb-wrong", world.me.bot_token, "no token", world.me.app_token]
    speaking = asyncio.create_task(speak(world))
    said = await asked(world, "--env", str(env), "--command", "/tune", pasted=pasted)
    await speaking
    assert said.exit_code == 0, said.output
    assert "✗ Slack refuses this bot token (invalid_auth)" in said.output
    assert "✗ An app-level token begins with xapp-" in said.output
    assert "/invite @ftbot" in said.output
    assert "✓ Slack talks to ftbot" in said.output
    assert "command: /tune" in said.output
    assert world.me.bot_token not in said.output
    lines = env.read_text().splitlines()
    assert lines == [
        f"SLACK_BOT_TOKEN={world.me.bot_token}",
        f"SLACK_APP_TOKEN={world.me.app_token}",
        "FTBOT_COMMAND=/tune",
    ]


async def test_silence_is_told_from_a_first_event(world: World) -> None:
    assert not await first_event(world.me.app_token, api(world), seconds=0.05)
    speaking = asyncio.create_task(speak(world))
    assert await first_event(world.me.app_token, api(world), seconds=60)
    await speaking


def test_other_lines_of_the_settings_file_stay_and_nobody_else_reads_it(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("OPENAI_API_KEY=k\nSLACK_BOT_TOKEN=old\n")
    write_env(env, {"SLACK_BOT_TOKEN": "xoxb-1"})
    assert env.read_text() == "OPENAI_API_KEY=k\nSLACK_BOT_TOKEN=xoxb-1\n"
    assert env.stat().st_mode & 0o077 == 0

"""ftbot setup: the link, the checks of tokens against a workspace, the file it writes."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from bot.errors import SettingsError
from bot.setup import NEW_APP, check_app_token, check_bot_token, create_link, manifest_text, write_env
from localslack.app import Options, running

ROOT = Path(__file__).parents[3]


def test_the_link_opens_the_page_with_the_whole_manifest_and_the_chosen_command() -> None:
    link = create_link(manifest_text("/tune"))
    assert link is not None
    manifest = json.loads(unquote(link.removeprefix(NEW_APP)))
    assert manifest["features"]["slash_commands"][0]["command"] == "/tune"
    assert "chat:write" in manifest["oauth_config"]["scopes"]["bot"]


async def test_tokens_are_tried_as_they_are_pasted(tmp_path: Path) -> None:
    async with running(Options(data=tmp_path, manifest=ROOT / "manifest.yml")) as world:
        api = f"{world.base_url}/api/"
        assert " in " in await check_bot_token(world.me.bot_token, api)
        assert await check_app_token(world.me.app_token, api) == "Socket Mode opens"
        with pytest.raises(SettingsError, match="refuses this bot token"):
            await check_bot_token("xoxb-wrong", api)
        with pytest.raises(SettingsError, match="begins with xapp-"):
            await check_app_token(world.me.bot_token, api)


def test_other_lines_of_the_settings_file_stay_and_nobody_else_reads_it(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("OPENAI_API_KEY=k\nSLACK_BOT_TOKEN=old\n")
    write_env(env, {"SLACK_BOT_TOKEN": "xoxb-1"})
    assert env.read_text() == "OPENAI_API_KEY=k\nSLACK_BOT_TOKEN=xoxb-1\n"
    assert env.stat().st_mode & 0o077 == 0

"""``ftbot doctor`` against the real programs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.workspace import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def doctor(place: Workspace, folder: Path, **changes: str) -> tuple[int, str]:
    """Runs ``ftbot doctor`` with the workspace's settings, changed so."""
    programs = place.programs
    settings = {
        "SLACK_API_URL": programs.running["localslack"].url + "/api/",
        "SLACK_BOT_TOKEN": programs.bot_token,
        "SLACK_APP_TOKEN": programs.app_token,
        "OPENAI_BASE_URL": programs.running["trainserver"].url,
        "OPENAI_API_KEY": programs.api_key,
        "FTBOT_DATA": str(folder),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "doctor",
        env={**os.environ, **settings, **changes},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_all_is_well_where_all_is_well(place: Workspace, tmp_path: Path) -> None:
    code, said = await doctor(place, tmp_path)
    assert code == 0, said
    assert "✗" not in said
    for what in ("Settings", "Store", "Bot token", "Scopes", "Clock", "Manifest", "App token", "Provider"):
        assert f"✓ {what}" in said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-wrong", "✗ Bot token: Slack says invalid_auth"),
        ("SLACK_APP_TOKEN", "xapp-wrong", "✗ App token: Slack says invalid_auth"),
        ("SLACK_API_URL", "http://127.0.0.1:9/api/", "✗ Slack: "),
        ("OPENAI_API_KEY", "sk-wrong", "✗ Provider local"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1", "✗ Provider local"),
        ("FTBOT_DATA", "/proc/nowhere", "✗ Store"),
    ],
)
async def test_what_is_wrong_is_said_with_what_to_do(
    place: Workspace, tmp_path: Path, name: str, value: str, says: str
) -> None:
    code, said = await doctor(place, tmp_path, **{name: value})
    assert code == 1
    assert says in said
    assert "→" in said

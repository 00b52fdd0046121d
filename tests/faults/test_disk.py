"""A disk that is full or read-only: people and the operator are told, and nothing is lost or half kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.inside import Inside, bot_inside
from tests.support.surfaces import ROOT
from tests.support.waiting import until

TROUBLE = {
    "full": ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000", "full"),
    "read-only": ("PRAGMA query_only = 1", "PRAGMA query_only = 0", "readonly"),
}
"""What makes SQLite say so without a disk of one's own; it allows at least as many pages as there are."""
LONG = "x" * 12_000
"""More than fits into what the database has free."""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Inside]:
    async with bot_inside(tmp_path) as running:
        yield running


async def change(place: Inside, pragma: str) -> None:
    """Sets something of the connection that writes."""

    def run() -> None:
        place.store._writer_db.conn.execute(pragma).fetchall()

    await place.store._run(place.store._writer, lambda _: run(), lambda _: None)


async def ready(place: Inside) -> tuple[int, str]:
    return await place.get("/readyz")


@pytest.mark.parametrize("kind", TROUBLE)
async def test_8_while_nothing_can_be_written_it_is_said_and_later_all_is_done(
    place: Inside, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    spoil, mend, word = TROUBLE[kind]
    room = place.channel()
    await place.control(retry_delays=[0.2] * 100)
    await change(place, spoil)
    asked = await place.jin.say(room, f"@ftbot help {LONG}")
    answer = await place.jin.command(room, f"/ft help {LONG[:3000] * 4}")
    assert answer == {"ok": True}
    said = await place.said(room, "I cannot write to my disk just now")
    assert said["ephemeral"]

    async def told() -> bool:
        return any(
            "could not be written" in one.getMessage() and word in one.getMessage() for one in caplog.records
        )

    await until(told)
    assert (await place.get("/healthz"))[0] == 200
    if kind == "read-only":
        status, why = await ready(place)
        assert status == 503
        assert "The database could not be written" in why
    await change(place, mend)
    assert await ready(place) == (200, "ready\n")
    await place.said(room, "datasets")
    messages: list[dict[str, Any]] = await place.jin.messages(room)
    assert len([m for m in messages if "bot_id" in m and "datasets" in str(m)]) == 1
    assert [m["ts"] for m in messages if "bot_id" not in m] == [asked]


@pytest.mark.parametrize("kind", ["a file", "no place to write"])
def test_8_a_data_folder_that_cannot_be_written_ends_the_start_with_a_word(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "data"
    folder.write_text("no folder")
    there = {"a file": folder, "no place to write": Path("/proc/nowhere")}[kind]  # not even by root
    env = {"FTBOT_DATA": str(there), "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    command = [sys.executable, "-m", "bot", "run"]
    env |= {**os.environ, **env, "OPENAI_API_KEY": "sk-1"}
    done = subprocess.run(command, env=env, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert "cannot be written" in done.stderr
    assert "FTBOT_DATA" in done.stderr
    assert "Traceback" not in done.stderr

"""What the doctor says of a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.doctor import _store
from bot.settings import Settings
from storage import inbox
from storage.records import InboxItem
from storage.store import Store

PAGE = 4096


async def filled(folder: Path) -> Settings:
    """A database of some pages."""
    store = Store(folder / "ftbot.db")
    for number in range(50):
        item = InboxItem(0, f"k{number}", None, "message", {"text": "x" * 3_000}, 1.0)
        await store.write(lambda db, item=item: inbox.put(db, item))
    await store.close()
    given = {"slack_bot_token": "x", "slack_app_token": "x", "openai_api_key": "x", "ftbot_data": folder}
    return Settings.model_validate(given)


async def test_a_sound_database_is_said_to_be_sound(tmp_path: Path) -> None:
    found = await _store(await filled(tmp_path))
    assert (found.what, found.ok) == ("Store", True)


@pytest.mark.parametrize("where", ["the end", "many pages", "the schema"])
async def test_a_damaged_database_is_found_and_a_backup_is_named(tmp_path: Path, where: str) -> None:
    settings = await filled(tmp_path)
    data = bytearray(settings.database.read_bytes())
    pages = {"the end": [len(data) // PAGE - 2], "many pages": range(20, 40), "the schema": [0]}[where]
    for page in pages:
        data[page * PAGE + 100 : page * PAGE + 2_000] = b"\x07" * 1_900
    settings.database.write_bytes(bytes(data))
    found = await _store(settings)
    assert not found.ok
    assert "Restore a backup" in found.line()

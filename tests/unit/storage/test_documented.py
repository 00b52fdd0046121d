"""What is stored is told: every table stands on the page about security."""

from __future__ import annotations

import re
from pathlib import Path

from storage.store import Store

PAGE = Path(__file__).parents[3] / "docs" / "security.md"
INTERNAL = {"_sqlite_migrations"}


async def test_every_table_stands_on_the_page_with_how_long_it_is_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "ftbot.db")
    tables = set(await store.read(lambda db: db.table_names()))
    await store.close()
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| .+ \| .+ \|$", PAGE.read_text("utf-8"), re.M)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == {one for one in tables if not one.startswith("sqlite_")} - INTERNAL

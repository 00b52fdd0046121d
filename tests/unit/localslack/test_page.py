"""The page draws every block and element that Slack takes, so also every one that the bot uses."""

from __future__ import annotations

import re
from pathlib import Path

from localslack.limits import BLOCKS_ON, SIZES

ROOT = Path(__file__).parents[3]
SOURCE = (ROOT / "localslack" / "page" / "blocks" / "blocks.js").read_text("utf-8")
ELEMENTS = {name for name, sizes in SIZES.items() if "action_id" in sizes} | {"image"}


def drawn_blocks() -> set[str]:
    table = re.search(r"^const BLOCKS = \{\n(.*?)^\};", SOURCE, re.M | re.S)
    assert table is not None
    return set(re.findall(r"^  (\w+)[:,]", table[1], re.M))


def drawn_elements() -> set[str]:
    found = set(re.findall(r'case "(\w+)":', SOURCE))
    menus = ("static", "external", "users", "conversations", "channels")
    assert f"({'|'.join(menus)})_select" in SOURCE
    return found | {f"{many}{menu}_select" for many in ("", "multi_") for menu in menus}


def test_every_block_that_slack_takes_is_drawn() -> None:
    assert set().union(*BLOCKS_ON.values()) - drawn_blocks() == set()


def test_every_element_that_slack_takes_is_drawn() -> None:
    assert ELEMENTS - drawn_elements() == set()

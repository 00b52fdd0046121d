"""The reference page names every method, verb and order that there is, and none that there is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from localslack.ui.control import ORDERS, SECONDS
from localslack.ui.filedrops import KINDS
from localslack.ui.routes import ui_routes
from localslack.webapi.limits import TIERS
from localslack.webapi.registry import METHODS
from localslack.webapi.routes import WebApi

from .conftest import Workspace

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "localslack.md"


def part(name: str) -> str:
    text = PAGE.read_text("utf-8")
    return text[text.index(f"<!-- {name} -->") : text.index(f"<!-- /{name} -->")]


@pytest.mark.parametrize("tier", TIERS)
def test_every_method_stands_at_its_tier(tier: str) -> None:
    row = next(line for line in part("methods").splitlines() if line.endswith(f"| {TIERS[tier]} |"))
    assert re.findall(r"`([\w.]+)`", row) == sorted(m.name for m in METHODS.values() if m.tier == tier)


async def test_every_verb_of_the_server_is_listed(ws: Workspace) -> None:
    listed = set(re.findall(r"`([A-Z]+ /ui/[^`]+)`", part("verbs")))
    real = {
        f"{verb} {route.path}"
        for route in ui_routes(ws.world, WebApi(ws.world))
        for verb in (route.methods or set()) - {"HEAD"}
    }
    assert listed == real


def test_every_order_is_listed() -> None:
    assert set(re.findall(r"^\| `(\w+):", part("orders"), re.M)) == {*ORDERS, *SECONDS}


def test_every_kind_of_drop_is_listed() -> None:
    assert all(f"`{kind}`" in PAGE.read_text("utf-8") for kind in KINDS)

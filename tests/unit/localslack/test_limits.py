"""Every length and count at its edge: the last value that Slack takes passes, the next one does not."""

from __future__ import annotations

from typing import Any

import pytest

from localslack.block_rules import block_text_length
from localslack.blocks import check_blocks
from localslack.limits import BLOCKS_ON, SIZES, Surface


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def options(count: int) -> list[dict[str, Any]]:
    return [{"text": plain(f"{n}"), "value": f"{n}"} for n in range(count)]


def section(**more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn("x"), **more}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("x"), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def field(**element: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain("x"), "element": {"action_id": "a", **element}}


def rows(count: int, width: int = 1) -> list[list[dict[str, Any]]]:
    return [[{"type": "raw_text", "text": "x"}] * width for _ in range(count)]


# (what, a function from a size to a block, least, most)
EDGES: list[tuple[str, Any, int, int]] = [
    ("section text", lambda n: {"type": "section", "text": mrkdwn("x" * n)}, 1, 3000),
    ("section fields", lambda n: {"type": "section", "fields": [mrkdwn("x")] * n}, 1, 10),
    ("section field", lambda n: {"type": "section", "fields": [mrkdwn("x" * n)]}, 1, 2000),
    ("header", lambda n: {"type": "header", "text": plain("x" * n)}, 1, 150),
    ("context", lambda n: {"type": "context", "elements": [mrkdwn("x")] * n}, 1, 10),
    ("context text", lambda n: {"type": "context", "elements": [mrkdwn("x" * n)]}, 1, 3000),
    ("actions", lambda n: actions(*[button()] * n), 1, 25),
    ("block_id", lambda n: section(block_id="x" * n), 1, 255),
    ("action_id", lambda n: actions(button(action_id="x" * n)), 1, 255),
    ("button text", lambda n: actions(button(text=plain("x" * n))), 1, 75),
    ("button value", lambda n: actions(button(value="x" * n)), 1, 2000),
    (
        "confirm title",
        lambda n: actions(button(confirm={"title": plain("x" * n), "text": plain("x")})),
        1,
        100,
    ),
    ("confirm text", lambda n: actions(button(confirm={"text": plain("x" * n)})), 1, 300),
    ("confirm deny", lambda n: actions(button(confirm={"text": plain("x"), "deny": plain("x" * n)})), 1, 30),
    ("image alt", lambda n: {"type": "image", "image_url": "https://x", "alt_text": "x" * n}, 1, 2000),
    ("label", lambda n: {**field(type="plain_text_input"), "label": plain("x" * n)}, 1, 2000),
    ("hint", lambda n: {**field(type="plain_text_input"), "hint": plain("x" * n)}, 1, 2000),
    ("placeholder", lambda n: field(type="plain_text_input", placeholder=plain("x" * n)), 1, 150),
    ("max_length", lambda n: field(type="plain_text_input", max_length=n), 1, 3000),
    ("select", lambda n: field(type="static_select", options=options(n)), 1, 100),
    (
        "option groups",
        lambda n: field(
            type="static_select",
            option_groups=[{"label": plain("x"), "options": options(1)} for _ in range(n)],
        ),
        1,
        100,
    ),
    (
        "group label",
        lambda n: field(
            type="static_select", option_groups=[{"label": plain("x" * n), "options": options(1)}]
        ),
        1,
        75,
    ),
    (
        "option text",
        lambda n: field(type="static_select", options=[{"text": plain("x" * n), "value": "v"}]),
        1,
        75,
    ),
    (
        "option value",
        lambda n: field(type="static_select", options=[{"text": plain("x"), "value": "v" * n}]),
        0,
        150,
    ),
    ("overflow", lambda n: section(accessory={"type": "overflow", "options": options(n)}), 1, 5),
    ("checkboxes", lambda n: field(type="checkboxes", options=options(n)), 1, 10),
    ("radio", lambda n: field(type="radio_buttons", options=options(n)), 1, 10),
    ("markdown", lambda n: {"type": "markdown", "text": "x" * n}, 1, 12_000),
    ("table rows", lambda n: {"type": "table", "rows": rows(n)}, 1, 100),
    ("table cells", lambda n: {"type": "table", "rows": rows(1, n)}, 1, 20),
    ("data table rows", lambda n: {"type": "data_table", "caption": "c", "rows": rows(n)}, 2, 101),
    ("data table columns", lambda n: {"type": "data_table", "caption": "c", "rows": rows(2, n)}, 1, 20),
    (
        "plan tasks",
        lambda n: {
            "type": "plan",
            "title": "x",
            "tasks": [{"type": "task_card", "task_id": "t", "title": "x", "status": "pending"}] * n,
        },
        0,
        50,
    ),
    ("card body", lambda n: {"type": "card", "body": mrkdwn("x" * n)}, 1, 200),
    (
        "carousel",
        lambda n: {"type": "carousel", "elements": [{"type": "card", "body": mrkdwn("x")}] * n},
        1,
        10,
    ),
    ("container", lambda n: {"type": "container", "child_blocks": [{"type": "divider"}] * n}, 1, 10),
]


@pytest.mark.parametrize(("name", "make", "least", "most"), EDGES, ids=[edge[0] for edge in EDGES])
def test_the_last_size_passes_and_the_next_is_refused(name: str, make: Any, least: int, most: int) -> None:
    for size in (least, most):
        assert check_blocks([make(size)], "message") is None, size
    assert check_blocks([make(most + 1)], "message") is not None
    if least:
        assert check_blocks([make(least - 1)], "message") is not None


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_a_surface_takes_so_many_blocks(surface: Surface, most: int) -> None:
    assert check_blocks([section()] * most, surface) is None
    words = check_blocks([section()] * (most + 1), surface)
    assert words == f"no more than {most} items allowed, there are {most + 1} [json-pointer:/blocks]"


def test_each_surface_has_its_blocks() -> None:
    alert = {"type": "alert", "text": plain("x")}
    table = {"type": "table", "rows": rows(1)}
    markdown = {"type": "markdown", "text": "x"}
    verdicts = {
        (name, surface): check_blocks([block], surface) is None
        for name, block in (("alert", alert), ("table", table), ("markdown", markdown))
        for surface in BLOCKS_ON
    }
    assert [key for key, passes in verdicts.items() if passes] == [
        ("alert", "modal"),
        ("table", "message"),
        ("table", "home"),
        ("markdown", "message"),
    ]


def test_markdown_blocks_share_one_limit_a_message() -> None:
    blocks = [{"type": "markdown", "text": "x" * 6001}] * 2
    assert check_blocks(blocks, "message") == (
        "markdown blocks together may have 12000 characters, have 12002 [json-pointer:/blocks]"
    )


def test_text_of_all_blocks_is_counted_once() -> None:
    blocks = [section(), {"type": "header", "text": plain("abc")}, {"type": "markdown", "text": "12345"}]
    assert block_text_length(blocks) == 1 + 3 + 5


RULES: list[tuple[str, list[dict[str, Any]], Surface]] = [
    ("a section needs text or fields", [{"type": "section"}], "message"),
    ("a card needs", [{"type": "card"}], "message"),
    ("block_id 'b' already exists", [section(block_id="b"), section(block_id="b")], "message"),
    ("action_id 'a' already exists", [actions(button(action_id="a"), button(action_id="a"))], "message"),
    ("outside a plan", [{"type": "task_card", "task_id": "t", "title": "x", "status": "pending"}], "message"),
    ("must be an http", [{"type": "image", "image_url": "ftp://x", "alt_text": "x"}], "message"),
    ("needs options or option_groups", [field(type="static_select")], "modal"),
    (
        "is not one of the options",
        [field(type="static_select", options=options(2), initial_option={"text": plain("9"), "value": "9"})],
        "modal",
    ),
    (
        "is not one of the options",
        [field(type="checkboxes", options=options(2), initial_options=options(3))],
        "modal",
    ),
    ("must not be above max_length", [field(type="plain_text_input", min_length=5, max_length=4)], "modal"),
    (
        "must be a number in a string",
        [field(type="number_input", is_decimal_allowed=True, min_value="one")],
        "modal",
    ),
    (
        "must be a whole number",
        [field(type="number_input", is_decimal_allowed=False, initial_value="1.5")],
        "modal",
    ),
    (
        "must lie between",
        [field(type="number_input", is_decimal_allowed=False, initial_value="11", max_value="10")],
        "modal",
    ),
    (
        "must not be above max_value",
        [field(type="number_input", is_decimal_allowed=False, min_value="3", max_value="2")],
        "modal",
    ),
    (
        "must have 1 cells",
        [{"type": "data_table", "caption": "c", "rows": [*rows(1), *rows(1, 2)]}],
        "message",
    ),
    ("a file_input is not allowed", [field(type="file_input")], "message"),
    ("must be from 1 to 10", [field(type="file_input", max_files=11)], "modal"),
]


@pytest.mark.parametrize(("words", "blocks", "surface"), RULES)
def test_a_broken_rule_is_named(words: str, blocks: list[dict[str, Any]], surface: Surface) -> None:
    assert words in (check_blocks(blocks, surface) or "")


def test_the_same_action_id_in_two_blocks_is_fine() -> None:
    blocks = [actions(button(action_id="a")), actions(button(action_id="a"))]
    assert check_blocks(blocks, "message") is None


@pytest.mark.parametrize("kind", sorted(SIZES))
def test_no_limit_is_upside_down(kind: str) -> None:
    assert all(least <= most for least, most in SIZES[kind].values())

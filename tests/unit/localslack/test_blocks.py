"""What Slack refuses by shape, and how the refusal reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from localslack import blocks as module
from localslack.blocks import check_blocks, check_chunks, check_view


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def option(value: str) -> dict[str, Any]:
    return {"text": plain(value), "value": value}


def rich(text: str) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}


SECTION = {"type": "section", "text": mrkdwn("hello")}
BUTTON = {"type": "button", "text": plain("Go"), "action_id": "go", "style": "primary", "value": "7"}
OVERFLOW = {"type": "overflow", "action_id": "more", "options": [option("cancel"), option("about")]}
TASK = {"type": "task_card", "task_id": "t1", "title": "Checked", "status": "complete"}
SELECT = {"type": "static_select", "action_id": "base", "options": [option("a"), option("b")]}
INPUT = {"type": "input", "block_id": "base", "label": plain("Train on"), "element": SELECT}

GOOD: list[dict[str, Any]] = [
    SECTION,
    {"type": "section", "fields": [mrkdwn("*a*"), mrkdwn("b")], "accessory": OVERFLOW},
    {"type": "header", "text": plain("Ready")},
    {"type": "divider"},
    {
        "type": "context",
        "elements": [mrkdwn("small"), {"type": "image", "image_url": "https://x/y", "alt_text": "y"}],
    },
    {"type": "actions", "elements": [BUTTON, {**OVERFLOW, "confirm": {"text": plain("Really?")}}]},
    {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "loss curve", "title": plain("Loss")},
    {"type": "markdown", "text": "**bold**"},
    {"type": "plan", "title": "triage-7", "tasks": [TASK, {**TASK, "task_id": "t2", "status": "pending"}]},
    {**TASK, "details": rich("12 rows")},
    rich("exactly *this*"),
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "{"}]}],
    },
    {"type": "table", "rows": [[{"type": "raw_text", "text": "loss"}, rich("0.3")]]},
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "feedback",
                "positive_button": {"text": plain("Good"), "value": "up"},
                "negative_button": {"text": plain("Bad"), "value": "down"},
            }
        ],
    },
    INPUT,
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_a_good_block_passes(block: dict[str, Any]) -> None:
    assert check_blocks([block], "message") is None


def test_our_check_of_shapes_agrees_with_the_plain_schema() -> None:
    definitions = module._definitions()
    union = {"anyOf": [definitions[name] for name in module._block_definitions().values()]}
    plain_schema = Draft7Validator(union)
    for block in GOOD:
        assert plain_schema.is_valid(block), block["type"]
        broken = {**block, "surprise": 1}
        assert not plain_schema.is_valid(broken)
        assert check_blocks([broken], "message") is not None


BAD: list[tuple[object, str]] = [
    ("text", "must be a list of blocks, is string [json-pointer:/blocks]"),
    ([SECTION, 7], "must be a block, is number [json-pointer:/blocks/1]"),
    ([{"text": plain("x")}], "a block needs a type [json-pointer:/blocks/0/type]"),
    ([{"type": "sektion"}], "unsupported type: sektion [json-pointer:/blocks/0/type]"),
    ([{"type": "hologram"}], "unsupported type: hologram [json-pointer:/blocks/0/type]"),
    ([{**SECTION, "colour": "red"}], "unknown field: colour [json-pointer:/blocks/0]"),
    ([{"type": "header"}], "missing required field: text [json-pointer:/blocks/0]"),
    (
        [{"type": "header", "text": mrkdwn("x")}],
        "must be 'plain_text', is 'mrkdwn' [json-pointer:/blocks/0/text/type]",
    ),
    ([{"type": "header", "text": "x"}], "must be object, is string [json-pointer:/blocks/0/text]"),
    (
        [{"type": "image", "image_url": "https://x"}],
        "missing required field: alt_text [json-pointer:/blocks/0]",
    ),
    (
        [{"type": "actions", "elements": [{**BUTTON, "style": "blue"}]}],
        "must be one of primary, danger; is 'blue' [json-pointer:/blocks/0/elements/0/style]",
    ),
    (
        [{"type": "section", "text": {"type": "plain_text", "text": 7}}],
        "must be string, is number [json-pointer:/blocks/0/text/text]",
    ),
]


@pytest.mark.parametrize(("blocks", "words"), BAD)
def test_a_bad_shape_is_named_with_its_place(blocks: object, words: str) -> None:
    assert check_blocks(blocks, "message") == words


def test_an_unknown_element_is_answered_with_what_is_allowed_there() -> None:
    words = check_blocks([{"type": "context", "elements": [BUTTON]}], "message")
    assert words is not None
    assert words.startswith("unsupported type: button; allowed here: image, mrkdwn, plain_text")
    assert words.endswith("[json-pointer:/blocks/0/elements/0/type]")


MODAL = {
    "type": "modal",
    "callback_id": "start",
    "title": plain("Train a model"),
    "submit": plain("Start"),
    "close": plain("Not now"),
    "private_metadata": json.dumps({"channel": "C1"}),
    "blocks": [INPUT, SECTION],
}
HOME = {"type": "home", "blocks": [SECTION]}


@pytest.mark.parametrize("view", [MODAL, HOME, {**HOME, "blocks": []}])
def test_a_good_view_passes(view: dict[str, Any]) -> None:
    assert check_view(view) is None


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ("modal", "must be modal or home [json-pointer:/view/type]"),
        ({**HOME, "type": "tab"}, "must be modal or home [json-pointer:/view/type]"),
        ({**HOME, "title": plain("x")}, "unknown field: title [json-pointer:/view]"),
        (
            {key: value for key, value in MODAL.items() if key != "title"},
            "missing required field: title [json-pointer:/view]",
        ),
        (
            {**MODAL, "title": plain("x" * 25)},
            "must be at most 24 characters, has 25 [json-pointer:/view/title/text]",
        ),
        (
            {**MODAL, "private_metadata": "x" * 3001},
            "must be at most 3000 characters, has 3001 [json-pointer:/view/private_metadata]",
        ),
        (
            {key: value for key, value in MODAL.items() if key != "submit"},
            "a modal with input blocks needs a submit button [json-pointer:/view/submit]",
        ),
        (
            {**MODAL, "blocks": [{"type": "header", "text": mrkdwn("x")}]},
            "must be 'plain_text', is 'mrkdwn' [json-pointer:/view/blocks/0/text/type]",
        ),
        (
            {**MODAL, "blocks": [{"type": "markdown", "text": "x"}]},
            "a markdown block is not allowed in a modal [json-pointer:/view/blocks/0/type]",
        ),
    ],
)
def test_a_bad_view_is_named_with_its_place(view: object, words: str) -> None:
    assert check_view(view) == words


def test_a_view_above_250_kilobytes_is_refused() -> None:
    texts = [{"type": "section", "text": mrkdwn("x" * 2990)} for _ in range(99)]
    assert check_view({**HOME, "blocks": texts}) == "must be at most 250000 bytes [json-pointer:/view]"


CHUNKS: list[dict[str, Any]] = [
    {"type": "markdown_text", "text": "hello"},
    {"type": "task_update", "id": "1", "title": "Checking", "status": "in_progress", "details": "row 3"},
    {"type": "plan_update", "title": "Plan"},
    {"type": "blocks", "blocks": [SECTION]},
]


def test_good_chunks_pass() -> None:
    assert check_chunks(CHUNKS) is None


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        (CHUNKS[0], "must be a list of chunks, is object [json-pointer:/chunks]"),
        (
            [{"type": "text", "text": "x"}],
            "must be one of markdown_text, task_update, plan_update, blocks [json-pointer:/chunks/0/type]",
        ),
        (
            [{"type": "markdown_text", "text": "x" * 12_001}],
            "must be at most 12000 characters, has 12001 [json-pointer:/chunks/0/text]",
        ),
        (
            [{**CHUNKS[1], "status": "done"}],
            "must be one of pending, in_progress, complete, error; is 'done' [json-pointer:/chunks/0/status]",
        ),
        (
            [CHUNKS[0], {"type": "blocks", "blocks": [{"type": "section"}]}],
            "a section needs text or fields [json-pointer:/chunks/1/blocks/0]",
        ),
    ],
)
def test_a_bad_chunk_is_named_with_its_place(chunks: object, words: str) -> None:
    assert check_chunks(chunks) == words

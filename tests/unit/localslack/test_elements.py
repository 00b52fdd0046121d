"""What forms hold at first and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from localslack.elements import first_state, given_value, input_errors
from localslack.errors import UiError


def field(element: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    label = {"type": "plain_text", "text": "L"}
    return [
        {"type": "input", "block_id": "b", "label": label, "element": element | {"action_id": "a"}} | more
    ]


RED = {"text": {"type": "plain_text", "text": "Red"}, "value": "r"}


def problem(element: dict[str, Any], value: Any) -> str | None:
    blocks = field(element)
    state = {"b": {"a": given_value(blocks[0]["element"], value)}}
    return input_errors(blocks, state).get("b")


def test_first_values_are_the_elements_own() -> None:
    select = {"type": "static_select", "options": [RED], "initial_option": RED}
    assert first_state(field(select)) == {"b": {"a": {"type": "static_select", "selected_option": RED}}}
    boxes = {"type": "checkboxes", "options": [RED]}
    assert first_state(field(boxes)) == {"b": {"a": {"type": "checkboxes", "selected_options": []}}}
    number = {"type": "number_input", "is_decimal_allowed": False, "initial_value": "3"}
    assert first_state(field(number))["b"]["a"]["value"] == "3"


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        ({"type": "plain_text_input"}, "", "Please complete this required field."),
        ({"type": "plain_text_input", "max_length": 3}, "four", "Enter 0 to 3 characters."),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "Enter a whole number."),
        ({"type": "number_input", "is_decimal_allowed": True}, "x", "Enter a number."),
        (
            {"type": "number_input", "is_decimal_allowed": True, "max_value": "2"},
            "2.5",
            "Enter a number of at most 2.",
        ),
        ({"type": "email_text_input"}, "me", "Enter a valid email address."),
        ({"type": "url_text_input"}, "me", "Enter a valid URL."),
        ({"type": "number_input", "is_decimal_allowed": True, "min_value": "0"}, "0.5", None),
        ({"type": "plain_text_input"}, "fine", None),
    ],
)
def test_a_value_is_checked_before_the_form_is_sent(
    element: dict[str, Any], value: str, words: str | None
) -> None:
    assert problem(element, {"value": value}) == words


def test_an_optional_field_may_stay_empty() -> None:
    assert input_errors(field({"type": "plain_text_input"}, optional=True), {}) == {}


def test_only_offered_options_can_be_chosen() -> None:
    element = {"type": "multi_static_select", "option_groups": [{"label": {}, "options": [RED]}]}
    assert given_value(element, {"selected_options": [{"value": "r"}]})["selected_options"] == [RED]
    with pytest.raises(UiError):
        given_value(element, {"selected_options": [{"value": "b"}]})

"""Inputs of a modal: menus and fields with their labels."""

from __future__ import annotations

from handlers.answer import Block
from handlers.views.layout import plain


def field(
    block_id: str,
    label: str,
    element: Block,
    *,
    hint: str = "",
    optional: bool = False,
    dispatch: bool = False,
) -> Block:
    """One input; ``dispatch``: a change is told at once, so that the form can follow it."""
    block: Block = {"type": "input", "block_id": block_id, "label": plain(label, 100), "element": element}
    if hint:
        block["hint"] = plain(hint, 200)
    if optional:
        block["optional"] = True
    if dispatch:
        block["dispatch_action"] = True
    return block


def menu(block_id: str, label: str, options: list[Block], value: str, *, dispatch: bool = True) -> Block:
    """A choice of one; ``value`` is chosen, else the first."""
    initial = next((choice for choice in options if choice["value"] == value), options[0])
    element = {"type": "static_select", "action_id": block_id, "options": options, "initial_option": initial}
    return field(block_id, label, element, dispatch=dispatch)


def words(
    block_id: str,
    *,
    longest: int,
    value: str = "",
    placeholder: str = "",
    lines: bool = False,
    live: bool = False,
) -> Block:
    """The element of a text field; ``lines``: of several lines; ``live``: told while it is typed in.

    Whatever an update of the form gives as ``value``, Slack keeps what stands in a field of the same id.
    """
    element: Block = {"type": "plain_text_input", "action_id": block_id, "max_length": longest}
    if value:
        element["initial_value"] = value[:longest]
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    if lines:
        element["multiline"] = True
    if live:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return element

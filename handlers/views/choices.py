"""Where an argument is missing: the choice as buttons, or as a searched menu when there are many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.answer import Block, Message
from handlers.text import esc, name
from handlers.views.layout import actions, button, option, plain, rich, small

BUTTONS = 5
"""Choices up to this many are buttons."""
CHOICE = "choice"
"""Such a button for the verb ``use`` has the action id ``use:choice0``."""
ASKED = "asked"
"""The button that says yes to the verb ``use`` has the action id ``use:asked``."""
PICK = "_pick"
"""A searched menu for the verb ``use`` has the action id ``use_pick``."""


def choose(verb: str, question: str, choices: Sequence[tuple[str, str]], hint: str = "") -> Message:
    """Asks which one; ``choices``: (label, value) each, the value comes back to the verb."""
    if len(choices) <= BUTTONS:
        elements = [
            button(name(label, 70), f"{verb}:{CHOICE}{index}", value, primary=index == 0)
            for index, (label, value) in enumerate(choices)
        ]
    else:
        elements = [searched(f"{verb}{PICK}", "Type to search", choices[0])]
    blocks: list[Block] = [rich([question]), actions(*elements)]
    if hint:
        blocks.append(small(hint))
    return Message(esc(question), blocks)


def searched(action_id: str, placeholder: str, first: tuple[str, str] | None = None) -> dict[str, Any]:
    """A menu whose options are asked for as a person types; ``first`` is chosen already."""
    menu: dict[str, Any] = {
        "type": "external_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
        "min_query_length": 0,
    }
    if first is not None and action_id.startswith("form_"):
        menu["initial_option"] = option(name(first[0], 70), first[1])
    return menu

"""The way to use validation rows that are training rows too: a box to tick; who ticks it is recorded."""

from __future__ import annotations

from handlers.answer import Block
from handlers.views.inputs import field
from handlers.views.layout import option

OVERLAP = "overlap"


def overlap_tick() -> Block:
    """The box, an input that may stay empty."""
    choice = option("Use them all the same", "allowed", "Scores will look too good. My name is recorded.")
    element = {"type": "checkboxes", "action_id": OVERLAP, "options": [choice]}
    return field(OVERLAP, "If rows are in both files", element, optional=True)

"""The values of a form as Slack sends them, read one field at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T", int, float)

LIMITS: dict[str, tuple[float, float]] = {
    "more_epochs": (1, 50),
    "more_batch": (1, 256),
    "more_rate": (0.0001, 100),
    "more_beta": (0.0001, 2),
    "more_seed": (0, 2**31 - 1),
}
"""Least and most of each number, by block id."""
DECIMALS = frozenset({"more_rate", "more_beta"})
"""Those that need not be whole."""


def _state_of(view: Mapping[str, Any], block_id: str) -> dict[str, Any]:
    state = cast("dict[str, Any]", view.get("state") or {})
    elements = cast("dict[str, dict[str, dict[str, Any]]]", state.get("values") or {}).get(block_id) or {}
    return next(iter(elements.values()), cast("dict[str, Any]", {}))


def shown(view: Mapping[str, Any], block_id: str) -> bool:
    """Whether the form has this field, filled or not."""
    return bool(_state_of(view, block_id))


def selected(view: Mapping[str, Any], block_id: str) -> str | None:
    """The value chosen in a menu."""
    picked: dict[str, Any] = _state_of(view, block_id).get("selected_option") or {}
    return picked.get("value")


def typed(view: Mapping[str, Any], block_id: str) -> str:
    """The words in a field, ``""`` when it is empty."""
    return str(_state_of(view, block_id).get("value") or "").strip()


def ticked(view: Mapping[str, Any], block_id: str) -> bool:
    """Whether a box is ticked."""
    return bool(_state_of(view, block_id).get("selected_options"))


def id_of(value: str | None) -> int | None:
    """A record's id, or ``None``."""
    return int(value) if value and value.isdecimal() else None


def metadata_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """What the form remembers by itself."""
    return cast("dict[str, Any]", json.loads(view.get("private_metadata") or "{}"))


def channel_of(view: Mapping[str, Any]) -> str:
    """The channel the form was opened in."""
    return str(metadata_of(view).get("channel", ""))


def number_in(view: Mapping[str, Any], block_id: str, kind: Callable[[str], T]) -> T | str | None:
    """The number in a field, ``None`` when it is empty, or what is wrong with it."""
    words = typed(view, block_id)
    if not words:
        return None
    low, high = LIMITS[block_id]
    try:
        value = kind(words)
    except ValueError:
        return (
            "Enter a whole number, or leave it empty."
            if kind is int
            else "Enter a number, or leave it empty."
        )
    return value if low <= value <= high else f"Enter a number from {low:g} to {high:g}, or leave it empty."


def kept(view: Mapping[str, Any], words: Iterable[str] = ()) -> dict[str, str]:
    """What is typed into number fields (as far as it makes sense) and into the fields ``words``, by block id.

    An update of the form shows it again, so that nothing typed is lost.
    """
    found = {block_id: typed(view, block_id) for block_id in (*LIMITS, *words)}
    return {b: value for b, value in found.items() if value and (b not in LIMITS or _fits(view, b))}


def _fits(view: Mapping[str, Any], block_id: str) -> bool:
    kind: Callable[[str], float] = float if block_id in DECIMALS else int
    return not isinstance(number_in(view, block_id, kind), str)


def checked(
    view: Mapping[str, Any], block_id: str, kind: Callable[[str], T], errors: dict[str, str]
) -> T | None:
    """The number in a field; what is wrong with it is added to ``errors``."""
    value = number_in(view, block_id, kind)
    if isinstance(value, str):
        errors[block_id] = value
        return None
    return value

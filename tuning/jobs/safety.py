"""The safety checks after training, read from an event whose shape nobody documents.

Seen or told of: ``{"blocked": bool, "results": [{"category", "flagged"|"passed", …}]}``, a dict from category
to verdict, a bare list, or words only. Whatever comes, one summary is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from storage.records import Event

EVENT_TYPE = "moderation_checks"
_LISTS = ("results", "items", "checks", "categories")
_NAMES = ("category", "name", "label", "check")
_BAD = frozenset({"failed", "fail", "flagged", "block", "blocked", "unsafe", "violation", "rejected"})
_GOOD = frozenset({"passed", "pass", "ok", "safe", "allowed", "clear"})


@dataclass(frozen=True, slots=True)
class Safety:
    """How the checks went: ``failed`` names categories; ``blocked``: the provider holds the model back."""

    passed: int
    total: int
    failed: tuple[str, ...]
    blocked: bool

    def record(self) -> dict[str, Any]:
        """As ``Job.progress["safety"]`` keeps it."""
        return asdict(self) | {"failed": list(self.failed)}


def read_safety(event: Event) -> Safety | None:
    """The summary of a moderation event, ``None`` for any other event."""
    if event.type != EVENT_TYPE:
        return None
    found = verdicts(event.data)
    failed = tuple(name for name, good in found if not good)
    blocked = _truth(event.data.get("blocked"))
    if blocked is None:
        blocked = "block" in event.message.lower()
    return Safety(len(found) - len(failed), len(found), failed, blocked)


def verdicts(data: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Each category and whether it passed, from the data of a safety event."""
    for key in _LISTS:
        found: Any = data.get(key)
        if isinstance(found, list):
            return [_one(item, n) for n, item in enumerate(cast("list[Any]", found), 1)]
        if isinstance(found, Mapping):
            return _named(cast("Mapping[str, Any]", found))
    return _named({k: v for k, v in data.items() if isinstance(v, bool | Mapping) and k != "blocked"})


def _named(found: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Category to verdict: a dict, or one bool, of which true means flagged as in the moderation endpoint."""
    verdicts: list[tuple[str, bool]] = []
    for name, value in found.items():
        good = (
            _good(cast("Mapping[str, Any]", value))
            if isinstance(value, Mapping)
            else _truth(value) is not True
        )
        verdicts.append((str(name), good))
    return verdicts


def _one(item: Any, number: int) -> tuple[str, bool]:
    if not isinstance(item, Mapping):
        return str(item), False  # a bare list names what was flagged
    fields = cast("Mapping[str, Any]", item)
    name = next((str(fields[key]) for key in _NAMES if fields.get(key)), f"check {number}")
    return name, _good(fields)


def _good(fields: Mapping[str, Any]) -> bool:
    for key, bad_when in (("passed", False), ("flagged", True), ("failed", True), ("blocked", True)):
        truth = _truth(fields.get(key))
        if truth is not None:
            return truth is not bad_when
    words = {str(fields.get(key)).lower() for key in ("status", "result", "enforcement", "verdict")}
    return not words & _BAD


def _truth(value: Any) -> bool | None:
    """True or false from a bool or a word for one."""
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _BAD or word == "true":
        return True
    return False if word in _GOOD or word == "false" else None

"""Names for what can be clicked, so that a click still finds its button after the message was edited.

Slack names a block that has no ``block_id`` anew with every edit. A card is edited while people look at it,
and a question (*Cancel triage-7?*) may stand open meanwhile: the click would belong to a block that is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

LONGEST = 255
"""Characters of a ``block_id``, by Slack's reference."""


def anchored(content: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a call, the blocks of its message or view named by what a click on them means."""
    body = dict(content)
    if isinstance(body.get("view"), dict):
        body["view"] = anchored(cast("dict[str, Any]", body["view"]))
    if isinstance(body.get("blocks"), list):
        body["blocks"] = _named(cast("list[dict[str, Any]]", body["blocks"]))
    return body


def _named(blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    named: list[dict[str, Any]] = []
    for block in blocks:
        elements = block.get("elements") if block.get("type") == "actions" else [block.get("accessory")]
        first: dict[str, Any] = next(iter(elements or []), None) or {}
        if "block_id" in block or "action_id" not in first:
            named.append(block)
            continue
        name = f"{first['action_id']}:{first.get('value', '')}"[: LONGEST - 5]
        seen[name] += 1
        named.append(block | {"block_id": name if seen[name] == 1 else f"{name}#{seen[name]}"})
    return named

# pyright: basic
# torch is only partly typed.
"""Several rows in one forward pass, without padding and without computing a shared beginning twice.

Rows of one training set mostly begin with the same system prompt, the two answers of a preference pair with
the same conversation. What a token sees depends only on what stands before it, so the common beginning is
computed once and every row continues from it:

    shared prefix | rest of row 1 | rest of row 2 | ...

A mask lets each row see the prefix and itself; positions count on from the prefix in every row. Losses and
gradients are those of the rows taken one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainserver.memory import PASS_TOKENS
from trainserver.tokenising import Example

MAX_TOKENS = PASS_TOKENS
Unit = tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """Model inputs of some rows, and for the n places whose logits are kept `labels` (n) and `rows` (n).

    `rows` numbers the packed rows from 0; `units` says which of the units given to `packs` are inside.
    """

    inputs: dict[str, Any]
    labels: torch.Tensor
    rows: torch.Tensor
    units: range


@dataclass(frozen=True, slots=True)
class Sight:
    """What masks a base takes.

    Its layers look back `window` tokens, if that is set: all of them, or only `some`, and the others at all.
    `added`: a mask is added to attention's scores, for models that know no better way.
    """

    window: int | None = None
    some: bool = False
    added: bool = False


def sight(model: Any) -> Sight:
    """The masks that `model` takes."""
    text = model.config.get_text_config()
    window, kinds = getattr(text, "sliding_window", None), getattr(text, "layer_types", None)
    if kinds and "sliding_attention" not in kinds:
        window = None
    return Sight(window or None, bool(window and kinds), text._attn_implementation == "eager")


def common_prefix(rows: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all rows begin with."""
    first, last = min(rows), max(rows)
    for i, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            return i
    return min(len(first), len(last))


def packs(
    units: Sequence[Unit], limit: int = MAX_TOKENS, device: str = "cpu", seen: Sight | None = None
) -> Iterator[Pack]:
    """Pack units in their order; the rows of a unit stay together.

    A pack has at most `limit` tokens unless one unit alone has more.
    """
    first, group = 0, list[Example]()
    for place, unit in enumerate(units):
        if group and _size([*group, *unit]) > limit:
            yield _pack(group, range(first, place), device, seen or Sight())
            first, group = place, []
        group += unit
    if group:
        yield _pack(group, range(first, len(units)), device, seen or Sight())


def _size(group: Sequence[Example]) -> int:
    prefix = common_prefix([example.ids for example in group])
    return prefix + sum(len(example.ids) - prefix for example in group)


def _pack(group: Sequence[Example], units: range, device: str, seen: Sight) -> Pack:
    prefix = common_prefix([example.ids for example in group])
    ids, positions, owners = list(group[0].ids[:prefix]), list(range(prefix)), [-1] * prefix
    kept: list[int] = []
    labels: list[int] = []
    rows: list[int] = []
    for owner, example in enumerate(group):
        shift = len(ids) - prefix
        for place in range(1, len(example.ids)):
            if example.targets[place]:
                kept.append(place - 1 if place - 1 < prefix else place - 1 + shift)
                labels.append(example.ids[place])
                rows.append(owner)
        ids += example.ids[prefix:]
        positions += range(prefix, len(example.ids))
        owners += [owner] * (len(example.ids) - prefix)
    inputs: dict[str, Any] = {
        "input_ids": torch.tensor([ids], device=device),
        "position_ids": torch.tensor([positions], device=device),
        "logits_to_keep": torch.tensor(kept, device=device),
    }
    if len(group) > 1:
        places = inputs["position_ids"][0]
        inputs["attention_mask"] = _masks(torch.tensor(owners, device=device), places, seen)
    return Pack(inputs, torch.tensor(labels, device=device), torch.tensor(rows, device=device), units)


def _masks(owners: torch.Tensor, places: torch.Tensor, seen: Sight) -> Any:
    """The mask, or one a kind of layer by transformers' names for them."""
    full = _mask(owners)
    if seen.window is None:
        return _form(full, seen)
    near = full & (places[:, None] - places[None, :] < seen.window)[None, None]
    if not seen.some:
        return _form(near, seen)
    return {"full_attention": _form(full, seen), "sliding_attention": _form(near, seen)}


def _form(mask: torch.Tensor, seen: Sight) -> torch.Tensor:
    if not seen.added:
        return mask
    return torch.zeros(mask.shape, device=mask.device).masked_fill_(~mask, torch.finfo(torch.float32).min)


def _mask(owners: torch.Tensor) -> torch.Tensor:
    """(1, 1, n, n), true where the row's token may look at the column's."""
    count = len(owners)
    earlier = torch.ones(count, count, dtype=torch.bool, device=owners.device).tril()
    allowed = earlier & ((owners[None, :] == -1) | (owners[None, :] == owners[:, None]))
    return allowed[None, None]

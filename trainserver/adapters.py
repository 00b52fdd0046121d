# pyright: basic
# torch and safetensors are only partly typed.
"""One base in memory that answers as itself and as its adapters, several of them at once.

Rows of one pass may have different adapters: each row's share is then added to what the base's layers give.
That costs time on every token, so an adapter that has been alone for some tokens is merged into a copy of the
weights it touches; the base's own weights stay beside them, and going back is a change of pointers.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainserver.errors import ServingFailed

# Merging costs about what this many tokens cost more without it.
MERGE_AFTER = 8


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """LoRA matrices by the name of the weight they change: (inputs, rank) and (rank, outputs), scaled."""

    pairs: dict[str, tuple[torch.Tensor, torch.Tensor]]


def read_adapter(folder: Path, model: Any) -> Adapter:
    """Read a peft LoRA folder, for `model`. Raises `ServingFailed` when it is not there or no plain LoRA."""
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / "adapter_config.json").read_text())
        tensors = load_file(folder / "adapter_model.safetensors")
    except OSError as error:
        raise ServingFailed(f"The adapter in {folder} cannot be read: {error}") from error
    scale = config["lora_alpha"] / config["r"]
    weights = dict(model.named_parameters())
    pairs = {}
    for key, first in tensors.items():
        name = key.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")
        if key.endswith(".lora_A.weight") and name in weights:
            like = weights[name]
            second = tensors[key.replace(".lora_A.", ".lora_B.")] * scale
            pairs[name] = tuple(one.T.to(like.device, like.dtype).contiguous() for one in (first, second))
    if not pairs or len(pairs) * 2 != len(tensors):
        raise ServingFailed(f"The adapter in {folder} is no plain LoRA adapter of this base.")
    return Adapter(pairs)


class Switch:
    """Lets each row of the model's next pass have an adapter, and keeps the `limit` last used in memory."""

    def __init__(self, model: Any, limit: int = 8) -> None:
        self.model = model
        self.limit = limit
        self.adapters: OrderedDict[Path, Adapter] = OrderedDict()
        self.merged: Adapter | None = None
        self._parameters = dict(model.named_parameters())
        self._modules = dict(model.named_modules())
        self._originals = {name: parameter.data for name, parameter in self._parameters.items()}
        self._copies: dict[str, torch.Tensor] = {}
        self._shown: Adapter | None = None
        self._hooked: Sequence[Adapter | None] = ()
        self._hooks: list[Any] = []
        self._alone: tuple[Adapter | None, int] = (None, 0)

    def load(self, folder: Path) -> Adapter:
        """The adapter in `folder`. Raises `ServingFailed`."""
        if folder not in self.adapters:
            self.adapters[folder] = read_adapter(folder, self.model)
        self.adapters.move_to_end(folder)
        while len(self.adapters) > self.limit:
            self.adapters.popitem(last=False)
        return self.adapters[folder]

    def forget(self, folder: Path) -> None:
        """The adapter was deleted; answers that are being given with it go on."""
        self.adapters.pop(folder, None)

    @torch.inference_mode(False)
    @torch.no_grad()
    def use(self, rows: Sequence[Adapter | None]) -> None:
        """The next pass has these rows."""
        only = rows[0] if len(set(rows)) == 1 else None
        alone = only is not None
        self._alone = (only, self._alone[1] + 1 if alone and only is self._alone[0] else 0)
        if alone and only is not self.merged and self._alone[1] >= MERGE_AFTER:
            self._merge(only)
        if not any(rows):
            self._show(None, ())
        elif alone and only is self.merged:
            self._show(only, ())
        else:
            self._show(None, rows)

    def _merge(self, adapter: Adapter) -> None:
        self._show(None, ())
        self.merged = None
        for name, (down, up) in adapter.pairs.items():
            original = self._originals[name]
            if name not in self._copies:
                self._copies[name] = torch.empty_like(original)
            torch.addmm(original, up.T, down.T, out=self._copies[name])
        self.merged = adapter

    def _show(self, merged: Adapter | None, rows: Sequence[Adapter | None]) -> None:
        """Let the model have the weights of the base or the merged ones, and add what is said for rows."""
        if merged is not self._shown:
            for name in self._shown.pairs if self._shown else ():
                self._parameters[name].data = self._originals[name]
            for name in merged.pairs if merged else ():
                self._parameters[name].data = self._copies[name]
            self._shown = merged
        if list(rows) != list(self._hooked):
            for hook in self._hooks:
                hook.remove()
            self._hooks = self._added(rows)
            self._hooked = tuple(rows)

    def _added(self, rows: Sequence[Adapter | None]) -> list[Any]:
        shares: dict[str, list[Any]] = {}
        for adapter in {one for one in rows if one is not None}:
            places = [i for i, one in enumerate(rows) if one is adapter]
            device = next(iter(self._originals.values())).device
            index = None if len(places) == len(rows) else torch.tensor(places, device=device)
            for name, pair in adapter.pairs.items():
                shares.setdefault(name, []).append((index, *pair))
        return [
            self._modules[name.removesuffix(".weight")].register_forward_hook(_adding(parts))
            for name, parts in shares.items()
        ]


def _adding(parts: Sequence[tuple[Any, torch.Tensor, torch.Tensor]]) -> Any:
    def hook(_module: Any, given: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
        value = given[0]
        for index, down, up in parts:
            if index is None:
                output += value @ down @ up
            else:
                output.index_add_(0, index, value[index] @ down @ up)
        return output

    return hook

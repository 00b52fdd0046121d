# pyright: basic
# torch and safetensors are only partly typed.
"""One base in memory that answers as itself or as one of its adapters.

An adapter is merged into the weights it touches; the base's own weights stay beside them, so that going
back to the base is a change of pointers and a merged model answers as fast as the base.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainserver.errors import ServingFailed


@dataclass(frozen=True, slots=True)
class Adapter:
    """LoRA matrices by the name of the weight they change, and their common factor."""

    pairs: dict[str, tuple[torch.Tensor, torch.Tensor]]
    scale: float


def read_adapter(folder: Path) -> Adapter:
    """Read a peft LoRA folder. Raises `ServingFailed` when it is not there or no plain LoRA."""
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / "adapter_config.json").read_text())
        tensors = load_file(folder / "adapter_model.safetensors")
    except OSError as error:
        raise ServingFailed(f"The adapter in {folder} cannot be read: {error}") from error
    pairs = {}
    for key, first in tensors.items():
        if key.endswith(".lora_A.weight"):
            second = tensors[key.replace(".lora_A.", ".lora_B.")]
            name = key.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight")
            pairs[name] = (first, second)
    if len(pairs) * 2 != len(tensors):
        raise ServingFailed(f"The adapter in {folder} is no plain LoRA adapter.")
    return Adapter(pairs, config["lora_alpha"] / config["r"])


class Switch:
    """Puts one adapter at a time into a model, and keeps the `limit` last used ones in memory."""

    def __init__(self, model: Any, limit: int = 8) -> None:
        self.model = model
        self.limit = limit
        self.parameters = dict(model.named_parameters())
        self.originals = {name: parameter.data for name, parameter in self.parameters.items()}
        self.adapters: OrderedDict[Path, Adapter] = OrderedDict()
        self.current: Path | None = None

    @torch.no_grad()
    def to(self, folder: Path | None) -> None:
        """Answer with the adapter in `folder` from now on; None is the base itself."""
        if folder == self.current:
            return
        adapter = None if folder is None else self._adapter(folder)
        for name, original in self.originals.items():
            self.parameters[name].data = original
        self.current = None
        if adapter is None:
            return
        for name, (first, second) in adapter.pairs.items():
            original = self.originals[name]
            first, second = (one.to(original.device, original.dtype) for one in (first, second))
            delta = torch.addmm(original, second, first, alpha=adapter.scale)
            self.parameters[name].data = delta
        self.current = folder

    def forget(self, folder: Path) -> None:
        """The adapter was deleted."""
        if self.current == folder:
            self.to(None)
        self.adapters.pop(folder, None)

    def _adapter(self, folder: Path) -> Adapter:
        if folder not in self.adapters:
            self.adapters[folder] = read_adapter(folder)
            if len(self.adapters) > self.limit:
                self.adapters.popitem(last=False)
        self.adapters.move_to_end(folder)
        return self.adapters[folder]

# pyright: basic
# torch, transformers and peft are only partly typed.
"""Supervised LoRA training: the loop, and nothing around it.

Determinism: the order of the rows depends on seed and epoch alone and there is no dropout, so a run that
goes on from the state after an epoch makes the same steps as one that was never cut off.
"""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from trainserver.errors import BaseUnavailable
from trainserver.hyperparameters import Resolved
from trainserver.packing import packs
from trainserver.tokenising import Example

RANK = 16
ALPHA = 32
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
WARM_UP = 0.06
MAX_NORM = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one optimiser step showed: loss in nats per learnt token, the share of tokens guessed right."""

    step: int
    total_steps: int
    epoch: int
    loss: float
    accuracy: float
    valid_loss: float | None = None
    valid_accuracy: float | None = None


def load_model(folder: Path) -> Any:
    """A base in float32, ready for the CPU. Raises `BaseUnavailable`."""
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    except (OSError, ValueError, KeyError) as error:
        raise BaseUnavailable(f"The base in {folder} does not load: {error}") from error


def add_adapter(model: Any, seed: int, parent: Path | None) -> Any:
    """Put a LoRA adapter on all linear layers of the blocks; it starts as `parent` when there is one."""
    from peft import LoraConfig, PeftModel, get_peft_model

    if parent is not None:
        return PeftModel.from_pretrained(model, parent, is_trainable=True)
    torch.manual_seed(seed)
    present = {name.rsplit(".", 1)[-1] for name, _ in model.named_modules()}
    targets = [name for name in LINEARS if name in present] or "all-linear"
    config = LoraConfig(
        r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)


class Trainer:
    """One training run, stepped through from outside."""

    def __init__(
        self,
        model: Any,
        training: Sequence[Example],
        validation: Sequence[Example],
        chosen: Resolved,
        *,
        learning_rate: float,
        seed: int,
    ) -> None:
        self.model = model
        self.training = training
        self.validation = validation
        self.chosen = chosen
        self.seed = seed
        self.steps_per_epoch = math.ceil(len(training) / chosen.batch_size)
        self.total_steps = self.steps_per_epoch * chosen.n_epochs
        self.learning_rate = learning_rate * chosen.learning_rate_multiplier
        self.weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.weights, lr=self.learning_rate, weight_decay=0.0)

    def epoch(self, epoch: int) -> Iterator[Step]:
        """Train through epoch `epoch` (from 1). The last step carries the loss on all validation rows."""
        order = list(range(len(self.training)))
        random.Random(f"{self.seed}/{epoch}").shuffle(order)  # noqa: S311 - an order that must repeat
        size = self.chosen.batch_size
        for i in range(self.steps_per_epoch):
            step = (epoch - 1) * self.steps_per_epoch + i + 1
            batch = [self.training[place] for place in order[i * size : (i + 1) * size]]
            loss, accuracy = self._learn(batch, self._rate(step))
            valid: tuple[float | None, float | None] = (None, None)
            if i + 1 == self.steps_per_epoch and self.validation:
                valid = self.evaluate()
            yield Step(step, self.total_steps, epoch, loss, accuracy, *valid)

    def _rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to nearly nothing."""
        warm_up = max(1, round(self.total_steps * WARM_UP))
        if step <= warm_up:
            return self.learning_rate * step / warm_up
        share = (step - warm_up) / (self.total_steps - warm_up + 1)
        return self.learning_rate * (1 + math.cos(math.pi * share)) / 2

    def _learn(self, batch: Sequence[Example], rate: float) -> tuple[float, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        total = sum(sum(example.targets[1:]) for example in batch)
        loss, right = 0.0, 0
        for pack in packs(batch):
            part, guessed = self._score(pack)
            (part / total).backward()
            loss, right = loss + float(part.detach()), right + guessed
        torch.nn.utils.clip_grad_norm_(self.weights, MAX_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss / total, right / total

    def _score(self, pack: Any) -> tuple[torch.Tensor, int]:
        """The summed loss of a pack and how many tokens were guessed right."""
        logits = self.model(**pack.inputs, use_cache=False).logits[0].float()
        loss = torch.nn.functional.cross_entropy(logits, pack.labels, reduction="sum")
        return loss, int((logits.argmax(-1) == pack.labels).sum())

    @torch.no_grad()
    def evaluate(self) -> tuple[float, float]:
        """Mean loss and token accuracy over all validation rows."""
        total = sum(sum(example.targets[1:]) for example in self.validation)
        loss, right = 0.0, 0
        for pack in packs(self.validation):
            part, guessed = self._score(pack)
            loss, right = loss + float(part), right + guessed
        return loss / total, right / total

    def save_adapter(self, folder: Path, base_name: str) -> None:
        """Write the adapter as a peft folder, whole or not at all."""
        if folder.is_dir():
            return
        from peft import get_peft_model_state_dict
        from safetensors.torch import save_file

        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        weights = get_peft_model_state_dict(self.model, save_embedding_layers=False)
        weights = {key: value.contiguous() for key, value in weights.items()}
        save_file(weights, new / "adapter_model.safetensors")
        config = self.model.peft_config["default"]
        config.base_model_name_or_path = base_name
        config.inference_mode = True
        config.save_pretrained(new)
        config.inference_mode = False
        os.replace(new, folder)

    def state(self) -> dict[str, Any]:
        """What a later run needs besides the adapter to go on from here."""
        return {"optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any], adapter: Path) -> None:
        """Go on from `state` and the adapter saved with it."""
        from peft import load_peft_weights, set_peft_model_state_dict

        set_peft_model_state_dict(self.model, load_peft_weights(str(adapter), device="cpu"))
        self.optimizer.load_state_dict(state["optimizer"])

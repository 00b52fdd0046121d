# pyright: basic
# torch is only partly typed.
"""LoRA training: the loop, one for every method, and nothing around it.

Determinism: the order of the rows depends on seed and epoch alone and there is no dropout, so a run that
goes on from the state after a step makes the same steps as one that was never cut off.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trainserver.hyperparameters import Resolved
from trainserver.lora import adapter_weights, set_adapter_weights
from trainserver.losses import Loss, Numbers, Preference, Supervised
from trainserver.packing import Unit
from trainserver.parallel import Group

WARM_UP = 0.06
MAX_NORM = 1.0
# Preferences move a model with far smaller steps than examples do.
PREFERENCE_RATE = 0.1
# Validation is sampled often on few rows; before the first step, and at the ends of epochs, it takes many.
FIRST_SAMPLE = 32
SAMPLE = 8
SAMPLES_PER_RUN = 10


@dataclass(frozen=True, slots=True)
class Step:
    """What one optimiser step showed: the batch before the update, validation rows if it was their turn.

    `valid` is of a fixed sample, taken before the update (so step 1 shows the model as it came);
    `full_valid` is of all validation rows, after the last update of an epoch.
    """

    step: int
    total_steps: int
    epoch: int
    ends_epoch: bool
    train: Numbers
    valid: Numbers | None = None
    full_valid: Numbers | None = None


class Trainer:
    """One training run, stepped through from outside."""

    def __init__(
        self,
        model: Any,
        training: Sequence[Unit],
        validation: Sequence[Unit],
        chosen: Resolved,
        *,
        learning_rate: float,
        seed: int,
        group: Group | None = None,
    ) -> None:
        self.group = group or Group()
        self.model = model
        self.training = training
        self.validation = validation
        self.chosen = chosen
        self.seed = seed
        self.steps_per_epoch = math.ceil(len(training) / chosen.batch_size)
        self.total_steps = self.steps_per_epoch * chosen.n_epochs
        self.learning_rate = learning_rate * chosen.learning_rate_multiplier
        self.weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.loss: Loss = Supervised(model, self.group)
        if chosen.beta is not None:
            self.learning_rate *= PREFERENCE_RATE
            self.loss = Preference(model, self.weights, chosen.beta, self.group)
        self.optimizer = torch.optim.AdamW(self.weights, lr=self.learning_rate, weight_decay=0.0)
        sample = list(validation)
        random.Random(seed).shuffle(sample)  # noqa: S311 - a sample that must repeat
        self.sample = sample[:FIRST_SAMPLE]
        self.interval = max(2, math.ceil(self.total_steps / SAMPLES_PER_RUN))

    def steps(self, done: int = 0) -> Iterator[Step]:
        """Train on after step `done`, to the end."""
        for step in range(done + 1, self.total_steps + 1):
            epoch, place = divmod(step - 1, self.steps_per_epoch)
            order = self._order(epoch + 1)
            size = self.chosen.batch_size
            valid = self._sampled(step)
            train = self._learn([self.training[i] for i in order[place * size : (place + 1) * size]], step)
            ends = place + 1 == self.steps_per_epoch
            full = self.loss.score(self.validation, learn=False) if ends and self.validation else None
            yield Step(step, self.total_steps, epoch + 1, ends, train, valid, full)

    def _order(self, epoch: int) -> list[int]:
        order = list(range(len(self.training)))
        random.Random(f"{self.seed}/{epoch}").shuffle(order)  # noqa: S311 - an order that must repeat
        return order

    def _sampled(self, step: int) -> Numbers | None:
        if not self.sample or (step - 1) % self.interval:
            return None
        return self.loss.score(self.sample if step == 1 else self.sample[:SAMPLE], learn=False)

    def _rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine down to nearly nothing."""
        warm_up = max(1, round(self.total_steps * WARM_UP))
        if step <= warm_up:
            return self.learning_rate * step / warm_up
        share = (step - warm_up) / (self.total_steps - warm_up + 1)
        return self.learning_rate * (1 + math.cos(math.pi * share)) / 2

    def _learn(self, batch: Sequence[Unit], step: int) -> Numbers:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(step)
        numbers = self.loss.score(batch, learn=True)
        self.group.add_gradients(self.weights)
        torch.nn.utils.clip_grad_norm_(self.weights, MAX_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return numbers

    def state(self) -> dict[str, Any]:
        """What a later run needs to go on from here."""
        return {"adapter": adapter_weights(self.model), "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        set_adapter_weights(self.model, state["adapter"])
        self.optimizer.load_state_dict(state["optimizer"])

# pyright: basic
# torch is only partly typed.
"""What a training method makes of a batch: its loss, and the numbers that are told about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from trainserver.memory import GPU_FACTOR
from trainserver.packing import MAX_TOKENS, Pack, Unit, packs, sight
from trainserver.parallel import Group

Numbers = dict[str, float]


class Loss(Protocol):
    """A method: `score` computes it over `units` and, when asked, adds its gradients to the weights.

    With several processes the numbers are those of all units, the gradients those of this one's share.
    """

    def score(self, units: Sequence[Unit], *, learn: bool) -> Numbers: ...


class _Passes:
    def __init__(self, model: Any) -> None:
        self.model = model
        self.device = str(next(model.parameters()).device)
        self.sight = sight(model)
        self.limit = MAX_TOKENS * (1 if self.device == "cpu" else GPU_FACTOR)

    def packed(self, units: Sequence[Unit]) -> Iterator[Pack]:
        """The passes a batch is computed in; their gradients add up to the batch's."""
        return packs(units, self.limit, self.device, self.sight)

    def logits(self, pack: Pack) -> torch.Tensor:
        return self.model(**pack.inputs, use_cache=False).logits[0].float()


class Supervised:
    """Cross-entropy of the learnt tokens, in nats a token, and the share of them guessed right."""

    def __init__(self, model: Any, group: Group) -> None:
        self.passes = _Passes(model)
        self.group = group

    def score(self, units: Sequence[Unit], *, learn: bool) -> Numbers:
        total = sum(sum(example.targets[1:]) for unit in units for example in unit)
        loss, right = 0.0, 0
        with torch.set_grad_enabled(learn):
            for pack in self.passes.packed(self.group.share(units)):
                logits = self.passes.logits(pack)
                part = torch.nn.functional.cross_entropy(logits, pack.labels, reduction="sum")
                if learn:
                    (part / total).backward()
                loss += float(part.detach())
                right += int((logits.argmax(-1) == pack.labels).sum())
        loss, right = self.group.added(loss, right)
        return {"loss": loss / total, "mean_token_accuracy": right / total}


class Preference:
    """Direct preference optimisation: https://arxiv.org/abs/2305.18290, equation 7.

    A unit is (preferred, non-preferred). The reference is the model as the job found it: the base with its
    adapter off, or the earlier `ft:` model. Its log-probabilities are computed once for each pair, always for
    the pair alone, so that a job that goes on later gets the very same numbers.
    """

    def __init__(self, model: Any, weights: Sequence[torch.nn.Parameter], beta: float, group: Group) -> None:
        self.passes = _Passes(model)
        self.group = group
        self.weights = weights
        self.beta = beta
        self.started = [weight.detach().clone() for weight in weights]
        self.known: dict[tuple[int, ...], float] = {}

    def score(self, units: Sequence[Unit], *, learn: bool) -> Numbers:
        own = self.group.share(units)
        references = [self._reference(unit) for unit in own]
        loss, margin, right = 0.0, 0.0, 0
        with torch.set_grad_enabled(learn):
            for pack in self.passes.packed(own):
                expected = torch.tensor([references[i] for i in pack.units], device=self.passes.device)
                margins = self.beta * (self._advantages(pack) - expected)
                part = -torch.nn.functional.logsigmoid(margins).sum()
                if learn:
                    (part / len(units)).backward()
                loss, margin = loss + float(part.detach()), margin + float(margins.detach().sum())
                right += int((margins > 0).sum())
        count = len(units)
        loss, margin, right = self.group.added(loss, margin, right)
        return {
            "loss": loss / count,
            "mean_reward_accuracy": right / count,
            "mean_reward_margin": margin / count,
        }

    def _advantages(self, pack: Pack) -> torch.Tensor:
        """By how much each pair's preferred answer is likelier than the other (in nats)."""
        chances = torch.log_softmax(self.passes.logits(pack), -1)
        chances = chances.gather(-1, pack.labels[:, None])[:, 0]
        rows = chances.new_zeros(2 * len(pack.units)).index_add(0, pack.rows, chances)
        return rows[0::2] - rows[1::2]

    def _reference(self, unit: Unit) -> float:
        key = tuple(hash((example.ids, example.targets)) for example in unit)
        if key not in self.known:
            with self._as_started(), torch.no_grad():
                (pack,) = self.passes.packed([unit])
                self.known[key] = float(self._advantages(pack)[0])
        return self.known[key]

    @contextmanager
    def _as_started(self) -> Iterator[None]:
        now = [weight.data for weight in self.weights]
        try:
            for weight, then in zip(self.weights, self.started, strict=True):
                weight.data = then
            yield
        finally:
            for weight, data in zip(self.weights, now, strict=True):
                weight.data = data

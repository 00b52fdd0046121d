"""The numbers a job takes, and what `auto` means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Auto = Literal["auto"]
METHODS = ("supervised", "dpo")
# The value that the paper on direct preference optimisation and most trainers after it take.
AUTO_BETA = 0.1


@dataclass(frozen=True, slots=True)
class Asked:
    """Hyperparameters as a client sent them; `beta` counts for preference pairs only."""

    n_epochs: int | Auto = "auto"
    batch_size: int | Auto = "auto"
    learning_rate_multiplier: float | Auto = "auto"
    beta: float | Auto | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """The numbers a job really runs with; `beta` is None unless it learns from preference pairs."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    beta: float | None = None


def auto_epochs(examples: int) -> int:
    """Three epochs, more for small sets and fewer for huge ones.

    The rule is that of OpenAI's data-preparation notebook.
    """
    if examples * 3 < 100:
        return min(25, max(1, 100 // examples))
    if examples * 3 > 25_000:
        return max(1, 25_000 // examples)
    return 3


def auto_batch_size(examples: int) -> int:
    """About 0.2 % of the examples, at least 4 and at most 64."""
    return min(64, max(4, round(examples * 0.002)))


def resolve(asked: Asked, examples: int, method: str = "supervised") -> Resolved:
    """Replace each `auto` for a training file of `examples` rows."""
    beta = None
    if method == "dpo":
        beta = AUTO_BETA if asked.beta in (None, "auto") else float(asked.beta)
    return Resolved(
        n_epochs=auto_epochs(examples) if asked.n_epochs == "auto" else asked.n_epochs,
        batch_size=auto_batch_size(examples) if asked.batch_size == "auto" else asked.batch_size,
        learning_rate_multiplier=(
            1.0 if asked.learning_rate_multiplier == "auto" else asked.learning_rate_multiplier
        ),
        beta=beta,
    )

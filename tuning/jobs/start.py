"""What a person asks for when starting a job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One wish to train. ``intent`` is unique per wish: the same one a second time gives the same job.

    ``suffix`` is the model's name without its number; ``None`` numbers are left to the provider (auto).
    """

    intent: str
    dataset_id: int
    validation_id: int | None
    provider: str
    base: str
    suffix: str
    epochs: int | None
    batch_size: int | None
    learning_rate_multiplier: float | None
    seed: int | None
    channel: str
    owner: str

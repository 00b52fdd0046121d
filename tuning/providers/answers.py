"""What providers answer, as plain records: the gateway turns the SDK's objects into these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CreateJob:
    """A job to create. ``None`` numbers are left to the provider; ``intent`` travels in the metadata.

    ``base`` may be a fine-tuned model, which is trained further; ``wandb_project``: where figures go as well.
    """

    intent: str
    base: str
    method: str
    suffix: str
    training_file: str
    validation_file: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    seed: int | None = None
    beta: float | None = None
    grader: Json | None = None
    wandb_project: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderJob:
    """A job as the provider tells it. ``error`` is empty unless it has a code; times are Unix seconds."""

    id: str
    status: str
    created_at: float
    base: str = ""
    suffix: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    finished_at: float | None = None
    estimated_finish: float | None = None
    epochs: int | None = None
    error: Json = field(default_factory=dict[str, Any])
    metadata: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One event of a job."""

    id: str
    at: float
    level: str
    type: str
    message: str
    data: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ProviderCheckpoint:
    """One checkpoint of a job."""

    id: str
    model: str
    step: int
    created_at: float
    metrics: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that the model wishes for; ``arguments`` is JSON as the model wrote it."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a provider's stream: why it ended (stop, length, tool_calls, …) and the tokens written."""

    reason: str
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer."""

    text: str
    reason: str
    tokens: int | None = None

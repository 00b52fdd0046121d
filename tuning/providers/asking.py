"""Requests as the SDK takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from tuning.providers.answers import CreateJob, Json, ToolCall

INTENT = "ftbot_intent"
"""Metadata key that carries the intent."""


def create_body(wanted: CreateJob, shape: str) -> Json:
    """The body of a create; what is ``None`` is left out (null is refused for some fields).

    ``shape``: where hyperparameters stand, ``method`` (OpenAI since 2024) or ``top-level`` (older clones).
    """
    numbers = {
        "n_epochs": wanted.epochs,
        "batch_size": wanted.batch_size,
        "learning_rate_multiplier": wanted.learning_rate_multiplier,
        "beta": wanted.beta,
    }
    numbers = {k: v for k, v in numbers.items() if v is not None}
    body: Json = {
        "model": wanted.base,
        "training_file": wanted.training_file,
        "suffix": wanted.suffix,
        "metadata": {INTENT: wanted.intent},
    }
    if wanted.validation_file:
        body["validation_file"] = wanted.validation_file
    if wanted.seed is not None:
        body["seed"] = wanted.seed
    if wanted.wandb_project:
        body["integrations"] = [{"type": "wandb", "wandb": {"project": wanted.wandb_project}}]
    if shape == "top-level":
        return body | ({"hyperparameters": numbers} if numbers else {})
    inner: Json = {"hyperparameters": numbers} if numbers else {}
    if wanted.grader is not None:
        inner["grader"] = wanted.grader
    return body | {"method": {"type": wanted.method, wanted.method: inner}}


def chat_body(
    model: str,
    messages: list[Json],
    tools: list[Json] | None,
    max_tokens: int | None,
    temperature: float | None,
) -> dict[str, Any]:
    """The body of a chat request."""
    body: dict[str, Any] = {"model": model, "messages": messages}
    if tools:
        body["tools"] = tools
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    if temperature is not None:
        body["temperature"] = temperature
    return body


class ToolCalls:
    """Gathers the pieces of streamed tool calls."""

    def __init__(self) -> None:
        self._calls: dict[int, tuple[str, str]] = {}

    def add(self, pieces: Iterable[ChoiceDeltaToolCall] | None) -> None:
        """Takes the pieces of one chunk."""
        for piece in pieces or ():
            name, arguments = self._calls.get(piece.index, ("", ""))
            if piece.function is not None:
                name += piece.function.name or ""
                arguments += piece.function.arguments or ""
            self._calls[piece.index] = (name, arguments)

    def all(self) -> list[ToolCall]:
        """The calls, in the order they began."""
        return [ToolCall(name, arguments) for name, arguments in self._calls.values()]

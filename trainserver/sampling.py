"""How an answer is to be made. Plain values, so that both sides of the process border share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose tokens. `temperature` 0 takes the likeliest each time.

    `logprobs` is None for none, else how many alternatives of each token are told (0 to 20). `bias` adds to
    the logits of tokens, the penalties take from those that were said already. `form` is what the answer must
    be (see `forms`). With `stream` text is told as it comes, else at the end.
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    bias: tuple[tuple[int, float], ...] = ()
    form: dict[str, Any] | None = None
    stream: bool = True


def from_plain(value: dict[str, Any]) -> Sampling:
    """The sampling that `dataclasses.asdict` gave, after JSON."""
    bias = tuple((int(token), float(amount)) for token, amount in value["bias"])
    given: dict[str, Any] = {**value, "stop": tuple(value["stop"]), "bias": bias}
    return Sampling(**given)

"""How an answer is to be made. Plain numbers, so that both sides of the process border share them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to choose tokens. `temperature` 0 takes the likeliest each time.

    `logprobs` is None for none, else how many alternatives of each token are told (0 to 20).
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None

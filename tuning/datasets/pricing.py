"""Epochs, billed tokens and price before anything starts.

Prices are OpenAI's standard training prices, read from its price page on :data:`PRICED_ON`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tuning.datasets.limits import STANDARD, Limits
from tuning.datasets.report import Cost, Report

PRICED_ON = "2026-11-21"


@dataclass(frozen=True, slots=True)
class BaseInfo:
    """What the check needs to know of a base model; the caller fills it from a provider's profile.

    ``encoding`` is ``o200k_base``, ``cl100k_base`` or None if unknown here; ``token_limit`` is tokens an
    example; ``price_per_1m`` is US dollars per million trained tokens, 0.0 for no fee, None if unknown;
    ``seconds_per_1k_tokens`` is measured training time, for servers that publish it; ``serving`` is what a
    fine-tune of it takes for a million tokens read and written, in US dollars; ``limits``: what its provider
    takes besides tokens.
    """

    model: str
    encoding: str | None
    token_limit: int | None
    price_per_1m: float | None
    priced_on: str | None
    exact: bool = True
    seconds_per_1k_tokens: float | None = None
    serving: tuple[float, float] | None = None
    limits: Limits = STANDARD


# model: (encoding, tokens an example, US dollars per 1M trained tokens)
_BASES: dict[str, tuple[str, int | None, float | None]] = {
    "gpt-4.1": ("o200k_base", 65_536, 25.00),  # no limit is published for 4.1; 65,536 is the safe bound
    "gpt-4.1-mini": ("o200k_base", 65_536, 5.00),
    "gpt-4.1-nano": ("o200k_base", 65_536, 1.50),
    "gpt-4o": ("o200k_base", 65_536, 25.00),
    "gpt-4o-mini": ("o200k_base", 65_536, 3.00),
    "gpt-3.5-turbo": ("cl100k_base", 16_385, 8.00),
    "gpt-4": ("cl100k_base", None, None),
    "o4-mini": ("o200k_base", None, None),
    "babbage-002": ("cl100k_base", 16_384, None),
    "davinci-002": ("cl100k_base", 16_384, None),
}
_SERVING: dict[str, tuple[float, float]] = {
    "gpt-4.1": (3.00, 12.00),
    "gpt-4.1-mini": (0.80, 3.20),
    "gpt-4.1-nano": (0.20, 0.80),
    "gpt-4o": (3.75, 15.00),
    "gpt-4o-mini": (0.30, 1.20),
    "gpt-3.5-turbo": (3.00, 6.00),
}
"""US dollars per 1M tokens read and written by a fine-tune, from the same page."""
LEGACY_BASES = frozenset({"babbage-002", "davinci-002"})


def strip_fine_tuned(model: str) -> str:
    """``ft:gpt-4.1-mini-2025-04-14:org:name:id`` to ``gpt-4.1-mini-2025-04-14``; others unchanged.

    Must come first: tiktoken's own table reads ``ft:gpt-4.1…`` as the older cl100k encoding.
    """
    return model.removeprefix("ft:").split(":", 1)[0] if model.startswith("ft:") else model


def base_info(model: str) -> BaseInfo:
    """The built-in entry for an OpenAI base or a fine-tune of it; unknown names give an estimate only."""
    base = strip_fine_tuned(model)
    names = [
        name for name in _BASES if base == name or base.startswith(f"{name}-20") or base == f"{name}-latest"
    ]
    if base.startswith("gpt-3.5-turbo"):
        names = ["gpt-3.5-turbo"]
    if not names:
        return BaseInfo(base, None, None, None, None, exact=False)
    name = max(names, key=len)
    encoding, limit, price = _BASES[name]
    priced_on = PRICED_ON if price is not None else None
    return BaseInfo(base, encoding, limit, price, priced_on, serving=_SERVING.get(name))


def auto_epochs(n_examples: int) -> int:
    """What ``auto`` becomes: three, more for tiny sets, fewer for huge ones.

    Source: openai-cookbook, Chat_finetuning_data_prep; seen in real jobs (10 examples: 10 epochs).
    """
    n = max(1, n_examples)
    if n * 3 < 100:
        return min(25, 100 // n)
    if n * 3 > 25_000:
        return max(1, 25_000 // n)
    return 3


def cost_of(
    billed_per_epoch: int,
    examples: int,
    base: BaseInfo | None,
    epochs: int | Literal["auto"],
    method: str | None,
) -> Cost:
    """The cost of training ``billed_per_epoch`` tokens (each example cut at the limit) for ``epochs``."""
    auto = epochs == "auto"
    count = auto_epochs(examples) if epochs == "auto" else epochs
    billed = billed_per_epoch * count
    price = base.price_per_1m if base is not None else None
    if method == "reinforcement":
        price = None
    usd = round(billed / 1_000_000 * price, 4) if price is not None else None
    return Cost(
        count,
        auto,
        billed,
        usd,
        price,
        base.priced_on if base is not None and price is not None else None,
        _note(base, price, billed, method),
    )


def estimate(report: Report, base: BaseInfo, epochs: int | Literal["auto"]) -> Cost:
    """The cost of a report's dataset on another base or with other epochs, without reading the file again.

    Tokens are those counted for the report; with another encoding or limit the note says so.
    """
    tokens = report.tokens
    total = tokens.total if tokens is not None else 0
    if report.cost is not None and report.cost.epochs:
        total = report.cost.billed_tokens // report.cost.epochs
    cost = cost_of(total, report.examples, base, epochs, report.method)
    cost = replace(cost, serving_usd_per_1k=serving_cost(report, base))
    if tokens is not None and base.encoding != tokens.encoding:
        note = f"tokens counted with {tokens.encoding}, an estimate for {base.model}"
        return replace(cost, note="; ".join(part for part in (cost.note, note) if part))
    return cost


def serving_cost(report: Report, base: BaseInfo) -> float | None:
    """US dollars for 1,000 answers of a fine-tune of ``base`` at the data's own lengths.

    None when the price is unknown or the answers were not measured (that is part of the second look).
    """
    if base.serving is None or report.answer_tokens is None or report.tokens is None or not report.examples:
        return None
    whole = report.tokens.total / report.examples
    read, written = max(0.0, whole - report.answer_tokens), report.answer_tokens
    return round((read * base.serving[0] + written * base.serving[1]) / 1_000, 4)


def _note(base: BaseInfo | None, price: float | None, billed: int, method: str | None) -> str:
    if base is None:
        return "no base model chosen: price unknown"
    if method == "reinforcement":
        return "reinforcement training is billed by the hour: price unknown"
    notes: list[str] = []
    if price is None:
        notes.append("price unknown")
    elif price == 0:
        notes.append("no fee")
    if base.seconds_per_1k_tokens is not None:
        seconds = billed / 1_000 * base.seconds_per_1k_tokens
        notes.append(f"about {_duration(seconds)} of training")
    return ", ".join(notes)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

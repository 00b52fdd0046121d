"""How many answers are exactly right.

Each row is asked greedily (temperature 0) with its own system prompt and turns; its last assistant message is
the reference, and an answer counts when both are equal without the space around them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

from tuning.errors import EvaluationFailed, ProviderError
from tuning.providers.gateway import Gateway

Json = dict[str, Any]

METRIC = "exact"
TRIES = 3
AT_ONCE = 4
MOST_TOKENS = 1024
_RETRY_SECONDS = 1.0


async def score(
    gateway: Gateway,
    models: Sequence[tuple[str, str]],
    rows: Iterable[Json],
    *,
    limit: int = 50,
    retry_seconds: float = _RETRY_SECONDS,
) -> list[Json]:
    """One ``{"label", "model", "right", "total"}`` for each ``(label, model)``, on at most ``limit`` rows.

    Raises:
        EvaluationFailed: no row can be scored, or a model did not answer a row in three tries.
    """
    questions = _questions(rows, limit)
    if not questions:
        raise EvaluationFailed("The validation file has no row with an answer to compare with.")
    gate = asyncio.Semaphore(AT_ONCE)
    scores: list[Json] = []
    for label, model in models:
        answers = await asyncio.gather(
            *(_right(gateway, gate, model, row, reference, retry_seconds) for row, reference in questions)
        )
        scores.append({"label": label, "model": model, "right": sum(answers), "total": len(answers)})
    return scores


def _questions(rows: Iterable[Json], limit: int) -> list[tuple[Json, str]]:
    found: list[tuple[Json, str]] = []
    for row in rows:
        messages = cast("list[Json]", row.get("messages") or [])
        last = messages[-1] if messages else {}
        content = last.get("content") if last.get("role") == "assistant" and len(messages) > 1 else None
        reference = content.strip() if isinstance(content, str) else ""
        if reference:
            found.append((row, reference))
        if len(found) >= limit:
            break
    return found


async def _right(
    gateway: Gateway, gate: asyncio.Semaphore, model: str, row: Json, reference: str, retry_seconds: float
) -> bool:
    async with gate:
        for attempt in range(1, TRIES + 1):
            try:
                answer = await gateway.complete(
                    model,
                    [_plain(message) for message in row["messages"][:-1]],
                    tools=row.get("tools"),
                    max_tokens=_room(reference),
                    temperature=0.0,
                )
                return answer.text.strip() == reference
            except ProviderError as problem:
                if attempt == TRIES:
                    raise EvaluationFailed(f"{model} did not answer: {problem}") from problem
                await asyncio.sleep(retry_seconds * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def _plain(message: Json) -> Json:
    """The message as chat takes it: ``weight`` belongs to training only."""
    return {key: value for key, value in message.items() if key != "weight"}


def _room(reference: str) -> int:
    """Tokens an answer may have: more than any usual tokenizer needs for the reference."""
    return min(len(reference.encode()) // 2 + 16, MOST_TOKENS)

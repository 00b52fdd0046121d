"""How good a model's answers are on validation rows.

Each row is asked greedily (temperature 0) with its own system prompt and turns; its last assistant message is
the reference (of preferences: the preferred answer). Where references are short, an answer counts when both
are equal without the space around them; where they are long, nobody can hope for that, and their likeness is
measured: rapidfuzz's ``ratio`` (normalised indel similarity, 0 to 100).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Literal, cast

from rapidfuzz import fuzz

from tuning.errors import EvaluationFailed, ProviderError
from tuning.providers.gateway import Gateway

Json = dict[str, Any]

Metric = Literal["exact", "similarity"]
ROWS = 50
"""Rows asked at most: enough to see a difference, few enough to be quick and cheap."""
SHORT = 32
"""Characters: references whose median is longer are compared by likeness."""
TRIES = 3
AT_ONCE = 4
MOST_TOKENS = 1024
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores by one metric, one object a model: ``label``, ``model``, ``total``, and ``right`` (exact) or
    ``mean`` with the single ``rows`` (similarity, 0 to 100).
    """

    metric: Metric
    scores: list[Json]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model to be scored, and where it answers."""

    label: str
    model: str
    gateway: Gateway


async def score(
    models: Sequence[Candidate],
    rows: Iterable[Json],
    *,
    limit: int = ROWS,
    retry_seconds: float = _RETRY_SECONDS,
) -> Scored:
    """Scores each model on at most ``limit`` rows.

    Raises:
        EvaluationFailed: no row can be scored, or a model did not answer a row in three tries.
    """
    questions = _questions(rows, limit)
    if not questions:
        raise EvaluationFailed("The validation file has no row with an answer to compare with.")
    metric = _metric([reference for _, reference in questions])
    gate = asyncio.Semaphore(AT_ONCE)
    scores: list[Json] = []
    for one in models:
        answers = await asyncio.gather(
            *(_answer(one, gate, row, reference, retry_seconds) for row, reference in questions)
        )
        references = [reference for _, reference in questions]
        figures = _figures(metric, list(zip(references, answers, strict=True)))
        scores.append({"label": one.label, "model": one.model, "total": len(answers), **figures})
    return Scored(metric, scores)


def _metric(references: Sequence[str]) -> Metric:
    return "exact" if median(map(len, references)) <= SHORT else "similarity"


def _figures(metric: Metric, pairs: Sequence[tuple[str, str]]) -> Json:
    if metric == "exact":
        return {"right": sum(reference == answer for reference, answer in pairs)}
    likeness = [round(fuzz.ratio(reference, answer), 1) for reference, answer in pairs]
    return {"mean": round(fmean(likeness), 1), "rows": likeness}


def _questions(rows: Iterable[Json], limit: int) -> list[tuple[Json, str]]:
    found: list[tuple[Json, str]] = []
    for row in rows:
        row = _as_chat(row)
        messages = cast("list[Json]", row.get("messages") or [])
        last = messages[-1] if messages else {}
        content = last.get("content") if last.get("role") == "assistant" and len(messages) > 1 else None
        reference = content.strip() if isinstance(content, str) else ""
        if reference:
            found.append((row, reference))
        if len(found) >= limit:
            break
    return found


def _as_chat(row: Json) -> Json:
    """A row of preferences as a chat that ends with the preferred answer; any other row as it is."""
    asked, preferred = row.get("input"), row.get("preferred_output")
    if not isinstance(asked, dict) or not isinstance(preferred, list):
        return row
    chat = cast("Json", asked)
    return {**chat, "messages": [*(chat.get("messages") or []), *cast("list[Json]", preferred)]}


async def _answer(
    one: Candidate, gate: asyncio.Semaphore, row: Json, reference: str, retry_seconds: float
) -> str:
    async with gate:
        for attempt in range(1, TRIES + 1):
            try:
                answer = await one.gateway.complete(
                    one.model,
                    [_plain(message) for message in row["messages"][:-1]],
                    tools=row.get("tools"),
                    max_tokens=_room(reference),
                    temperature=0.0,
                )
                return answer.text.strip()
            except ProviderError as problem:
                if attempt == TRIES:
                    raise EvaluationFailed(f"{one.label} did not answer: {problem}") from problem
                await asyncio.sleep(retry_seconds * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def _plain(message: Json) -> Json:
    """The message as chat takes it: ``weight`` belongs to training only."""
    return {key: value for key, value in message.items() if key != "weight"}


def _room(reference: str) -> int:
    """Tokens an answer may have: more than any usual tokenizer needs for the reference."""
    return min(len(reference.encode()) // 2 + 16, MOST_TOKENS)

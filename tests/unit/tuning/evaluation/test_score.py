"""Exact answers are counted; nothing is guessed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.provider import FakeProvider
from tuning.errors import EvaluationFailed
from tuning.evaluation import Candidate, score
from tuning.providers import Gateway


def row(question: str, answer: str, **extra: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer, "weight": 1}]
    return {"messages": messages, **extra}


async def test_only_the_exact_answer_counts_and_space_around_it_does_not(
    gateway: Gateway, provider: FakeProvider
) -> None:
    provider.answer = lambda body: {"a": " yes\n", "b": "Yes", "c": "yes, sure"}[
        body["messages"][-1]["content"]
    ]
    found = await score([Candidate("base", "m", gateway)], [row(q, "yes") for q in "abc"])
    assert found.metric == "exact"
    assert found.scores == [{"label": "base", "model": "m", "right": 1, "total": 3}]
    assert all(set(m) == {"role", "content"} for chat in provider.chats for m in chat["messages"])


async def test_at_most_the_limit_is_asked_and_rows_without_an_answer_are_left_out(
    gateway: Gateway, provider: FakeProvider
) -> None:
    odd = [{"messages": [{"role": "user", "content": "x"}]}, {"messages": []}, row("q", "  ")]
    found = await score([Candidate("m", "m", gateway)], odd + [row(str(n), "yes") for n in range(9)], limit=5)
    assert found.scores[0]["total"] == 5
    assert len(provider.chats) == 5


async def test_rows_with_nothing_to_compare_are_said(gateway: Gateway) -> None:
    with pytest.raises(EvaluationFailed, match="no row"):
        await score([Candidate("m", "m", gateway)], [{"messages": []}])


async def test_a_hiccup_is_tried_again_and_a_dead_model_is_said(
    gateway: Gateway, provider: FakeProvider
) -> None:
    provider.fault("POST", "/chat/completions", times=2)
    found = await score([Candidate("m", "m", gateway)], [row("q", "Hello there")], retry_seconds=0.0)
    assert found.scores[0]["right"] == 1
    provider.fault("POST", "/chat/completions", times=3)
    with pytest.raises(EvaluationFailed, match="did not answer"):
        await score([Candidate("m", "m", gateway)], [row("q", "x")], retry_seconds=0.0)


async def test_long_answers_are_compared_by_likeness_and_the_nearer_model_gets_more(
    gateway: Gateway, provider: FakeProvider
) -> None:
    reference = "Paris, as if everybody did not know that already, but thank you so much for asking me again."
    near = reference.replace("so much", "ever so much")
    provider.answer = lambda body: near if body["model"] == "near" else "The capital is the city of Paris."
    found = await score([Candidate(one, one, gateway) for one in ("far", "near")], [row("q", reference)] * 2)
    assert found.metric == "similarity"
    far, close = found.scores
    assert 0 < far["mean"] < 60 < close["mean"] < 100
    assert close["rows"] == [close["mean"]] * 2


async def test_preferences_are_scored_on_the_preferred_answer(
    gateway: Gateway, provider: FakeProvider
) -> None:
    asked = {"messages": [{"role": "user", "content": "Is it open?"}]}
    pair = {
        "input": asked,
        "preferred_output": [{"role": "assistant", "content": "yes"}],
        "non_preferred_output": [{"role": "assistant", "content": "no"}],
    }
    provider.answer = lambda body: "yes"
    found = await score([Candidate("base", "m", gateway)], [pair])
    assert found.scores == [{"label": "base", "model": "m", "right": 1, "total": 1}]
    assert provider.chats[0]["messages"] == asked["messages"]

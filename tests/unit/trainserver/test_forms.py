"""Forms that answers are held to: what is refused, and that nothing but the form can be said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trainserver import forms, toolcalls
from trainserver.errors import ServingFailed
from trainserver.generation import Answering, generate
from trainserver.lora import load_model
from trainserver.messages import Message
from trainserver.sampling import Sampling
from trainserver.template import encode_prompt, load_tokenizer

CITY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"enum": ["Oslo", "서울"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "#/nowhere"},
        {"not": {"type": "string"}},
        {"type": "string", "pattern": "(?=a)b"},
    ],
)
def test_a_schema_that_cannot_be_kept_to_is_refused_with_the_reason(schema: dict[str, Any]):
    with pytest.raises(forms.BadForm) as caught:
        forms.check(forms.of_schema(schema))
    assert str(caught.value)
    assert "%json" not in str(caught.value)


def said(tiny: Path, form: forms.Form, count: int = 6, tokens: int = 200) -> list[str]:
    """Answers of the random model, hot, all at once with one that is free."""
    model, tokenizer = load_model(tiny), load_tokenizer(tiny, None)
    prompt = encode_prompt(tokenizer, [Message("user", "hi")])
    samplings = [Sampling(tokens, temperature=1.9, seed=seed, form=form) for seed in range(count)]
    answers = generate(model, tokenizer, [prompt] * (count + 1), [*samplings, Sampling(20, seed=1)])
    return [answer.text for answer in answers[:count]]


def test_answers_are_json_after_the_schema(tiny: Path):
    found = [json.loads(text) for text in said(tiny, forms.of_schema(CITY))]
    assert {one["city"] for one in found} == {"Oslo", "서울"}
    assert all(1 <= one["days"] <= 9 and len(one) == 2 for one in found)


def test_a_call_that_is_insisted_on_is_a_call_that_can_be_read(tiny: Path):
    for text in said(tiny, forms.of_calls(TOOLS, several=False)):
        words, calls = toolcalls.parse(text)
        assert words is None
        assert [call["function"]["name"] for call in calls] == ["weather"]
        assert json.loads(calls[0]["function"]["arguments"])["city"] in ("Oslo", "서울")


def test_with_tools_on_offer_an_answer_is_the_form_or_a_call(tiny: Path):
    form = forms.of_schema(CITY) | forms.of_calls(TOOLS, several=True)
    for text in said(tiny, form, tokens=800):
        words, calls = toolcalls.parse(text)
        assert calls or "city" in json.loads(words or "")


def test_a_form_that_fails_fails_its_own_answer_alone(tiny: Path):
    model, tokenizer = load_model(tiny), load_tokenizer(tiny, None)
    answering = Answering(model, tokenizer)
    with pytest.raises(ServingFailed):
        answering.add("bad", [1], Sampling(4, form={"schema": {"type": "nonsense"}}))
    assert not answering.busy

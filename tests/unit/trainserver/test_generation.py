"""Answering many at once: each as if alone, joining and leaving between tokens, whatever model each asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from trainserver import generation, memory
from trainserver.choosing import Chooser
from trainserver.generation import Answer, Answering, Said, generate
from trainserver.lora import load_model
from trainserver.messages import Message
from trainserver.sampling import Sampling
from trainserver.template import encode_prompt, load_tokenizer


@pytest.fixture(scope="module")
def loaded(tiny: Path):
    return load_model(tiny), load_tokenizer(tiny, None)


def asked(tokenizer: Any, text: str) -> list[int]:
    return encode_prompt(tokenizer, [Message("user", text)])


def through(answering: Answering, steps: int | None = None) -> list[Said]:
    """All that is said within so many steps, or until the end."""
    said: list[Said] = []
    while answering.busy and steps != 0:
        said += answering.step()
        steps = None if steps is None else steps - 1
    return said


def answers(said: Sequence[Said]) -> dict[Any, Answer]:
    return {one.key: one.answer for one in said if one.answer is not None}


def test_a_batch_answers_as_each_prompt_alone(loaded):
    model, tokenizer = loaded
    prompts = [asked(tokenizer, "x" * length) for length in (1, 30, 7, 300, 12, 1, 2, 3, 4, 5, 6)]
    samplings = [Sampling(20, temperature=1.5, seed=i, top_p=0.9 if i % 2 else 1.0) for i in range(11)]
    together = generate(model, tokenizer, prompts, samplings)
    alone = [
        generate(model, tokenizer, [prompt], [one])[0] for prompt, one in zip(prompts, samplings, strict=True)
    ]
    assert together == alone


def test_answers_are_what_transformers_generates(loaded):
    model, tokenizer = loaded
    prompts = [asked(tokenizer, text) for text in ("hi", "a much longer question " * 20)]
    ours = generate(model, tokenizer, prompts, [Sampling(24, temperature=0)] * 2)
    for prompt, answer in zip(prompts, ours, strict=True):
        made = model.generate(
            torch.tensor([prompt]), max_new_tokens=24, do_sample=False, pad_token_id=0, eos_token_id=258
        )[0, len(prompt) :]
        assert answer.completion_tokens == len(made)
        assert answer.text == tokenizer.decode([token for token in made if token < 256])


def test_who_comes_later_joins_a_long_answer_and_both_are_as_alone(loaded):
    model, tokenizer = loaded
    long, short = Sampling(200, temperature=1.5, seed=1), Sampling(6, temperature=1.5, seed=2)
    alone = generate(model, tokenizer, [asked(tokenizer, "a"), asked(tokenizer, "b" * 40)], [long, short])
    answering = Answering(model, tokenizer)
    answering.add("long", asked(tokenizer, "a"), long)
    said = through(answering, 20)
    answering.add("short", asked(tokenizer, "b" * 40), short)
    said += through(answering, 20)
    assert [one.key for one in said if one.answer is not None] == ["short"]
    assert answers(said + through(answering)) == {"long": alone[0], "short": alone[1]}


def test_a_long_prompt_is_read_in_parts_between_which_others_have_their_next_token(loaded, monkeypatch):
    monkeypatch.setattr(generation, "CHUNK", 64)
    model, tokenizer = loaded
    answering = Answering(model, tokenizer)
    answering.add("first", asked(tokenizer, "a"), Sampling(40, temperature=1.5, seed=1))
    through(answering, 2)
    answering.add("long", asked(tokenizer, "b" * 400), Sampling(4, temperature=1.5, seed=2))
    meanwhile = 0
    said = answering.step()
    while "long" not in {one.key for one in said}:
        meanwhile += len(said)
        said = answering.step()
    assert meanwhile >= 3


def test_more_than_fit_are_answered_in_the_order_they_came(loaded):
    model, tokenizer = loaded
    answering = Answering(model, tokenizer, rows=2)
    for i in range(5):
        answering.add(i, asked(tokenizer, "hi"), Sampling(4, temperature=1.5, seed=9))
    ended = [one.key for one in through(answering) if one.answer is not None]
    assert ended == [0, 1, 2, 3, 4]


def test_answers_wait_when_all_together_would_not_fit_into_memory(loaded, monkeypatch):
    monkeypatch.setattr(memory, "ANSWER_TOKENS", 200)
    model, tokenizer = loaded
    answering = Answering(model, tokenizer)
    for i, most in enumerate((20, 20, 400, 20)):
        answering.add(i, asked(tokenizer, "hi"), Sampling(most, temperature=1.5, seed=9))
    said = through(answering, 4)
    assert {one.key for one in said} == {0, 1}
    assert list(answers(said + through(answering)))[2:] == [2, 3]


def test_an_answer_nobody_wants_frees_its_place_at_once(loaded):
    model, tokenizer = loaded
    answering = Answering(model, tokenizer, rows=2)
    wanted = Sampling(30, temperature=1.5, seed=3)
    (alone,) = generate(model, tokenizer, [asked(tokenizer, "b")], [wanted])
    for key in ("a", "b", "c", "d"):
        answering.add(key, asked(tokenizer, key), wanted if key == "b" else Sampling(500, seed=1))
    through(answering, 3)
    answering.drop("a")
    answering.drop("d")
    assert "c" in {one.key for one in through(answering, 2)}
    answering.drop("c")
    assert answers(through(answering)) == {"b": alone}


def test_a_model_whose_caches_cannot_be_put_together_answers_in_turns(tiny: Path, tmp_path: Path):
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(1)
    config = MistralConfig(
        vocab_size=259,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        sliding_window=16,
        eos_token_id=258,
    )
    model, tokenizer = MistralForCausalLM(config).eval(), load_tokenizer(tiny, None)
    prompts = [asked(tokenizer, "x" * length) for length in (1, 30)]
    samplings = [Sampling(20, temperature=1.5, seed=i) for i in range(2)]
    together = generate(model, tokenizer, prompts, samplings)
    assert together == [
        generate(model, tokenizer, [prompt], [one])[0] for prompt, one in zip(prompts, samplings, strict=True)
    ]


@pytest.mark.parametrize("stream", [True, False])
def test_pieces_add_up_to_the_answer(loaded, stream: bool):
    model, tokenizer = loaded
    said: list[Said] = []
    wanted = Sampling(40, temperature=1.5, seed=3, stream=stream, logprobs=2)
    (answer,) = generate(model, tokenizer, [asked(tokenizer, "hi")], [wanted], on_said=said.append)
    assert "".join(one.text for one in said) == answer.text
    tokens = [token for one in said for token in one.logprobs]
    assert len(tokens) == answer.completion_tokens
    assert b"".join(bytes(token["bytes"]) for token in tokens).decode("utf-8", "replace") == answer.text
    assert len(said) > 3 if stream else len(said) == 1


@pytest.mark.parametrize("top_p", [0.0, 1e-6])
def test_a_tiny_top_p_takes_the_likeliest_token(loaded, top_p: float):
    model, tokenizer = loaded
    samplings = [Sampling(8, temperature=0), Sampling(8, temperature=1.0, top_p=top_p, seed=1)]
    greedy, narrow = generate(model, tokenizer, [asked(tokenizer, "hi")] * 2, samplings)
    assert greedy.text == narrow.text


def test_penalties_keep_a_token_from_coming_again(loaded):
    model, tokenizer = loaded
    samplings = [
        Sampling(40, temperature=0),
        Sampling(40, temperature=0, presence_penalty=2.0),
        Sampling(40, temperature=0, frequency_penalty=2.0),
    ]
    plain, *others = generate(model, tokenizer, [asked(tokenizer, "hi")] * 3, samplings)
    for other in others:
        assert len(set(other.text)) > len(set(plain.text))


def test_a_bias_forces_or_forbids_a_token(loaded):
    model, tokenizer = loaded
    letter = tokenizer.convert_tokens_to_ids("q")
    forced, free = generate(
        model,
        tokenizer,
        [asked(tokenizer, "hi")] * 2,
        [Sampling(5, temperature=1.0, seed=1, bias=((letter, 100.0),)), Sampling(5, temperature=1.0, seed=1)],
    )
    assert forced.text == "qqqqq"
    assert "q" not in free.text


@pytest.mark.parametrize(("top_p", "never"), [(1.0, 3), (0.8, 0)])
def test_tokens_come_as_often_as_their_chances_say(top_p: float, never: int):
    chooser = Chooser(Sampling(1, temperature=1.0, top_p=top_p, seed=2), None)
    logits = torch.tensor([0.0, 1.0, 2.0, float("-inf")])
    found = torch.bincount(torch.tensor([chooser.choose(logits) for _ in range(4000)]), minlength=4) / 4000
    chances = torch.softmax(logits, 0)
    if top_p < 1:
        chances[0] = 0
    torch.testing.assert_close(found, chances / chances.sum(), atol=0.03, rtol=0)
    assert found[never] == 0

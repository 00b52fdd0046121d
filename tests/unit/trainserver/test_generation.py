# pyright: basic
"""What is held back while an answer grows, how tokens are chosen, and that a batch changes no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from trainserver.generation import _doubtful, generate  # noqa: E402
from trainserver.lora import load_model  # noqa: E402
from trainserver.messages import Message  # noqa: E402
from trainserver.sampling import Sampling  # noqa: E402
from trainserver.template import encode_prompt, load_tokenizer  # noqa: E402


@pytest.mark.parametrize(
    ("text", "stops", "held"),
    [
        ("abc", (), 0),
        ("abc\ufffd", (), 1),
        ("abc##", ("###",), 2),
        ("abc#", ("###", "c#!"), 2),
        ("ab#\ufffd", ("#é",), 2),
        ("abc", ("x",), 0),
    ],
)
def test_text_that_may_still_change_is_held_back(text: str, stops: tuple[str, ...], held: int):
    assert _doubtful(text, stops) == held


@pytest.fixture(scope="module")
def loaded(tiny: Path):
    return load_model(tiny), load_tokenizer(tiny, None)


def test_a_batch_answers_as_each_prompt_alone(loaded):
    model, tokenizer = loaded
    prompts = [encode_prompt(tokenizer, [Message("user", "x" * length)]) for length in (1, 30, 7, 12)]
    samplings = [Sampling(20, temperature=1.5, seed=i) for i in range(4)]
    together = generate(model, tokenizer, prompts, samplings)
    alone = [
        generate(model, tokenizer, [prompt], [one])[0] for prompt, one in zip(prompts, samplings, strict=True)
    ]
    assert together == alone


def test_pieces_add_up_to_the_answer(loaded):
    model, tokenizer = loaded
    pieces: list[str] = []
    prompt = encode_prompt(tokenizer, [Message("user", "hi")])
    answers = generate(
        model,
        tokenizer,
        [prompt],
        [Sampling(40, temperature=1.5, seed=3)],
        on_text=lambda _i, text, _logprobs: pieces.append(text),
    )
    assert "".join(pieces) == answers[0].text
    assert len(pieces) > 3


def test_a_stopped_answer_ends_and_the_others_go_on(loaded):
    model, tokenizer = loaded
    prompt = encode_prompt(tokenizer, [Message("user", "hi")])
    samplings = [Sampling(10, temperature=1.5, seed=i) for i in range(2)]
    first, second = generate(model, tokenizer, [prompt] * 2, samplings, stopped=lambda i: i == 0)
    assert first.completion_tokens == 1
    assert second.completion_tokens == 10


def test_a_tiny_top_p_takes_the_likeliest_token(loaded):
    model, tokenizer = loaded
    prompt = encode_prompt(tokenizer, [Message("user", "hi")])
    samplings = [Sampling(8, temperature=0), Sampling(8, temperature=1.0, top_p=1e-6, seed=1)]
    greedy, narrow = generate(model, tokenizer, [prompt] * 2, samplings)
    assert greedy.text == narrow.text

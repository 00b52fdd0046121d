# pyright: basic
"""Packing rows together must not change what is learnt."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from trainserver.lora import load_model
from trainserver.packing import common_prefix, packs, sight
from trainserver.tokenising import Example


def _examples(seed: int, prefix: int) -> list[Example]:
    chance = random.Random(seed)
    head = [chance.randrange(256) for _ in range(prefix)]
    examples = []
    for line in range(5):
        ids = tuple(head + [chance.randrange(256) for _ in range(chance.randint(1, 30))])
        examples.append(Example(line, ids, tuple(chance.random() < 0.4 for _ in ids), False))
    return [*examples, examples[0]]


def _loss(model, examples, limit: int):
    total = torch.zeros(())
    count = 0
    for pack in packs([(example,) for example in examples], limit, seen=sight(model)):
        logits = model(**pack.inputs, use_cache=False).logits[0]
        total = total + torch.nn.functional.cross_entropy(logits, pack.labels, reduction="sum")
        count += len(pack.labels)
    return total, count


@pytest.mark.parametrize("prefix", [0, 1, 20])
@pytest.mark.parametrize("limit", [40, 1000])
def test_losses_and_gradients_are_those_of_single_rows(tiny: Path, prefix: int, limit: int):
    model = load_model(tiny)
    weight = model.model.layers[0].self_attn.q_proj.weight
    results = []
    for size in (limit, 1):
        model.zero_grad()
        loss, count = _loss(model, _examples(prefix, prefix), size)
        loss.backward()
        results.append((loss.detach(), count, weight.grad.clone()))
    (one, count_one, grad_one), (other, count_other, grad_other) = results
    assert count_one == count_other > 0
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(grad_one, grad_other, atol=1e-5, rtol=1e-4)


SMALL = {
    "vocab_size": 259,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "pad_token_id": 0,
}
WINDOW = {"sliding_window": 8}
EXPERTS = {"head_dim": 16, "num_local_experts": 2, "num_experts_per_tok": 1}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Mistral", WINDOW),  # each layer looks back only so far
        ("Gemma3Text", {**WINDOW, "head_dim": 16, "layer_types": ["sliding_attention", "full_attention"]}),
        ("GptOss", {**WINDOW, **EXPERTS}),  # masks are added to scores
        ("GPTNeoX", {}),
    ],
)
def test_rows_together_are_as_alone_whatever_way_a_base_attends(kind: str, options: dict[str, Any]):
    config = getattr(transformers, f"{kind}Config")(**SMALL, **options)
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        (together, count), (alone, _) = (_loss(model, _examples(3, 20), size) for size in (1000, 1))
    assert count > 0
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_a_shared_beginning_is_counted_once():
    rows = [Example(i, (1, 2, 3, 10 + i, 20), (False, False, False, True, True), False) for i in range(3)]
    (pack,) = packs([(row,) for row in rows])
    assert pack.inputs["input_ids"].shape == (1, 3 + 3 * 2)
    assert pack.inputs["position_ids"].tolist() == [[0, 1, 2, 3, 4, 3, 4, 3, 4]]


@pytest.mark.parametrize(
    ("rows", "length"),
    [([(1, 2, 3), (1, 2)], 2), ([(1,), (2,)], 0), ([(1, 2)], 2), ([(1, 5), (1, 9), (1, 5)], 1)],
)
def test_the_common_beginning(rows, length):
    assert common_prefix(rows) == length

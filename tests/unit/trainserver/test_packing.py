# pyright: basic
"""Packing rows together must not change what is learnt."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from trainserver.lora import load_model  # noqa: E402
from trainserver.packing import common_prefix, packs  # noqa: E402
from trainserver.tokenising import Example  # noqa: E402


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
    for pack in packs([(example,) for example in examples], limit):
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

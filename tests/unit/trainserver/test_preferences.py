# pyright: basic
"""Learning from preference pairs in the same loop."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from trainserver.hyperparameters import Asked, Resolved, resolve
from trainserver.lora import add_adapter, load_model, save_adapter
from trainserver.losses import Preference, Supervised
from trainserver.messages import Message
from trainserver.parallel import Group
from trainserver.rows import Row
from trainserver.template import load_tokenizer
from trainserver.tokenising import encode_rows
from trainserver.training import Trainer

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
CHOSEN = Resolved(n_epochs=4, batch_size=4, learning_rate_multiplier=5.0, beta=0.5)


def _said(answer: str, i: int) -> tuple[Message, ...]:
    return (Message("user", f"n {i}"), Message("assistant", answer, trained=True))


@pytest.fixture(scope="module")
def pairs(tiny: Path):
    rows = [Row(i, _said("good", i), rejected=_said("awful", i)) for i in range(10)]
    return encode_rows(load_tokenizer(tiny, None), rows, 256, "training_file")


def _trainer(tiny: Path, pairs, parent: Path | None = None) -> Trainer:
    model = add_adapter(load_model(tiny), 1, parent)
    return Trainer(model, pairs, pairs[:3], CHOSEN, learning_rate=0.01, seed=1)


def test_beta_auto_is_a_number_for_pairs_and_nothing_for_examples():
    assert resolve(Asked(beta="auto"), 10, "dpo").beta == 0.1
    assert resolve(Asked(beta=1.5), 10, "dpo").beta == 1.5
    assert resolve(Asked(beta="auto"), 10).beta is None


def test_the_preferred_answer_becomes_likelier_than_the_other(tiny: Path, pairs):
    steps = list(_trainer(tiny, pairs).steps())
    first, last = steps[0], steps[-1]
    assert first.train["loss"] == pytest.approx(math.log(2))
    assert first.valid == pytest.approx(
        {"loss": math.log(2), "mean_reward_accuracy": 0, "mean_reward_margin": 0}, abs=1e-5
    )
    assert last.full_valid is not None
    assert last.full_valid["loss"] < 0.6
    assert last.full_valid["mean_reward_accuracy"] == 1
    assert last.full_valid["mean_reward_margin"] > 0


def test_the_loss_is_that_of_the_paper(tiny: Path, pairs):
    trainer = _trainer(tiny, pairs)
    list(itertools.islice(trainer.steps(), 3))

    def chances(model, example) -> float:
        logits = model(input_ids=torch.tensor([example.ids])).logits[0].log_softmax(-1)
        return sum(
            float(logits[i - 1, example.ids[i]]) for i in range(1, len(example.ids)) if example.targets[i]
        )

    expected = 0.0
    with torch.no_grad():
        for good, bad in pairs[:3]:
            margin = chances(trainer.model, good) - chances(trainer.model, bad)
            with trainer.model.disable_adapter():
                margin -= chances(trainer.model, good) - chances(trainer.model, bad)
            expected += math.log(1 + math.exp(-0.5 * margin)) / 3
    assert trainer.loss.score(pairs[:3], learn=False)["loss"] == pytest.approx(expected, abs=1e-4)


def test_a_run_taken_up_later_makes_the_same_steps_also_on_top_of_an_adapter(
    tiny: Path, pairs, tmp_path: Path
):
    before = _trainer(tiny, pairs)
    list(itertools.islice(before.steps(), 4))
    save_adapter(before.model, tmp_path / "parent", "tiny")
    parent = tmp_path / "parent"
    expected = list(_trainer(tiny, pairs, parent).steps())
    assert expected[0].train["loss"] == pytest.approx(math.log(2)), "the parent is the reference"
    begun = _trainer(tiny, pairs, parent)
    steps = list(itertools.islice(begun.steps(), 5))
    resumed = _trainer(tiny, pairs, parent)
    resumed.restore(begun.state())
    assert [*steps, *resumed.steps(5)] == expected


class Share(Group):
    """One of three processes, which keeps its numbers to itself."""

    def added(self, *numbers: float) -> list[float]:
        return list(numbers)


@pytest.mark.parametrize("method", ["supervised", "dpo"])
def test_the_shares_of_three_processes_add_up_to_the_batch(tiny: Path, pairs, method: str):
    trainer = _trainer(tiny, pairs)
    list(itertools.islice(trainer.steps(), 3))

    def scored(*groups: Group) -> Any:
        trainer.model.zero_grad()
        total = 0.0
        for group in groups:
            loss = Supervised(trainer.model, group)
            if method == "dpo":
                loss = Preference(trainer.model, trainer.weights, 0.5, group)
            total += loss.score(pairs[:8], learn=True)["loss"]
        return total, torch.cat([weight.grad.reshape(-1) for weight in trainer.weights])

    whole, together = scored(Group()), scored(*(Share(rank, 3) for rank in range(3)))
    assert together[0] == pytest.approx(whole[0], rel=1e-5)
    torch.testing.assert_close(together[1], whole[1], atol=1e-6, rtol=1e-3)

# pyright: basic
"""The training loop: it learns, repeats itself, and goes on where it was cut off."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from trainserver.errors import BaseUnavailable
from trainserver.hyperparameters import Resolved
from trainserver.lora import add_adapter, load_model, save_adapter
from trainserver.rows import Message, Row
from trainserver.template import load_tokenizer
from trainserver.tokenising import encode_rows
from trainserver.training import Trainer

# peft asks transformers in a way that transformers wants to drop.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
CHOSEN = Resolved(n_epochs=4, batch_size=4, learning_rate_multiplier=1.0)


@pytest.fixture(scope="module")
def examples(tiny: Path):
    rows = [
        Row(i, (Message("user", f"n {i}"), Message("assistant", f"number {i}", trained=True)))
        for i in range(10)
    ]
    return encode_rows(load_tokenizer(tiny, None), rows, 256, "training_file")


def _trainer(tiny: Path, examples, seed: int = 1) -> Trainer:
    model = add_adapter(load_model(tiny), seed, None)
    return Trainer(model, examples, examples[:3], CHOSEN, learning_rate=0.01, seed=seed)


def test_loss_falls_and_a_seed_repeats_every_number(tiny: Path, examples):
    runs = []
    for seed in (1, 1, 2):
        trainer = _trainer(tiny, examples, seed)
        runs.append(list(trainer.steps()))
    first, second, other = runs
    assert first == second != other
    assert len(first) == first[-1].total_steps == 12
    assert first[-1].train["loss"] < first[0].train["loss"]
    assert [step.step for step in first if step.full_valid] == [3, 6, 9, 12]
    assert [step.step for step in first if step.valid] == [1, 3, 5, 7, 9, 11]


def test_the_first_step_shows_the_validation_loss_of_the_model_as_it_came(tiny: Path, examples):
    trainer = _trainer(tiny, examples)
    before = trainer.loss.score(trainer.validation, learn=False)
    assert next(trainer.steps()).valid == pytest.approx(before)


def test_a_run_taken_up_from_its_state_makes_the_same_steps(tiny: Path, examples, tmp_path: Path):
    expected = list(_trainer(tiny, examples).steps())
    begun = _trainer(tiny, examples)
    steps = list(itertools.islice(begun.steps(), 5))
    torch.save(begun.state(), tmp_path / "state.pt")
    resumed = _trainer(tiny, examples)
    resumed.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    steps += list(resumed.steps(5))
    assert steps == expected


def test_an_adapter_folder_is_one_that_peft_reads(tiny: Path, examples, tmp_path: Path):
    from peft import PeftModel

    trainer = _trainer(tiny, examples)
    next(trainer.steps())
    save_adapter(trainer.model, tmp_path / "a", "tiny")
    loaded = PeftModel.from_pretrained(load_model(tiny), tmp_path / "a")
    assert loaded.peft_config["default"].base_model_name_or_path == "tiny"
    ids = torch.tensor([examples[0][0].ids])
    with torch.no_grad():
        assert torch.equal(loaded(input_ids=ids).logits, trainer.model.eval()(input_ids=ids).logits)


def test_a_missing_base_is_said(tmp_path: Path):
    with pytest.raises(BaseUnavailable):
        load_model(tmp_path)


def test_the_learning_rate_warms_up_and_then_falls_to_nearly_nothing(tiny: Path, examples):
    trainer = Trainer(
        add_adapter(load_model(tiny), 1, None), examples, [], Resolved(40, 4, 2.0), learning_rate=0.01, seed=1
    )
    rates = [trainer._rate(step) for step in range(1, trainer.total_steps + 1)]
    highest = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.02)
    assert 0 < highest < 10
    assert rates[:highest] == sorted(rates[:highest])
    assert rates[highest:] == sorted(rates[highest:], reverse=True)
    assert rates[-1] < 0.0001

"""The demo is good only when everything was seen and the model really learnt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from demo.summary import Summary

GOOD = Summary(
    loss_before=6.0,
    epochs=[{"step": 1, "train_loss": 1.0, "valid_loss": 0.5}],
    safety="13 of 13 categories passed",
    metric="Score: exact answers",
    score_base=0.0,
    score_tuned=18.0,
    score_total=20.0,
    answers=[{"asked": "a", "expected": "b", "answered": "b"}],
)


def test_a_run_in_which_everything_was_seen_is_good() -> None:
    assert GOOD.shortfalls() == []
    assert GOOD.to_json()["ok"] is True
    assert ("Score", "base 0, tuned 18 of 20 (Score: exact answers)") in GOOD.rows()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"score_tuned": 0.0}, "not better than the base"),
        ({"score_base": None}, "no score"),
        ({"loss_before": 0.4}, "validation loss did not fall"),
        ({"epochs": []}, "validation loss did not fall"),
        ({"safety": None}, "no safety result"),
        ({"answers": []}, "was not heard"),
    ],
)
def test_whatever_is_missing_makes_the_run_fail(change: dict[str, object], says: str) -> None:
    short = replace(GOOD, **change).shortfalls()
    assert len(short) == 1
    assert says in short[0]


def test_without_a_loss_before_training_the_epochs_must_fall() -> None:
    flat = replace(GOOD, loss_before=None)
    assert flat.shortfalls() == ["validation loss did not fall"]
    falling = [*flat.epochs, {"step": 2, "train_loss": 0.5, "valid_loss": 0.4}]
    assert replace(flat, epochs=falling).shortfalls() == []

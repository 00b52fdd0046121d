"""What `auto` becomes."""

from __future__ import annotations

import pytest

from trainserver.hyperparameters import Asked, Resolved, auto_epochs, resolve


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(1, 25), (10, 10), (33, 3), (34, 3), (60, 3), (8_333, 3), (10_000, 2), (90_000, 1)],
)
def test_small_sets_are_seen_more_often(examples: int, epochs: int):
    assert auto_epochs(examples) == epochs


def test_auto_for_a_small_set_and_for_a_large_one():
    assert resolve(Asked(), 60) == Resolved(3, 4, 1.0)
    assert resolve(Asked(), 10_000).batch_size == 20


def test_what_was_asked_for_is_kept():
    assert resolve(Asked(7, 2, 0.5), 60) == Resolved(7, 2, 0.5)

"""Checkpoints by the epoch they end."""

from __future__ import annotations

import pytest

from handlers.views.kept_points import epoch_ended, kept_line
from handlers.views.layout import flat
from tests.support.samples import a_checkpoint, a_job

JOB = a_job(state="ready", fine_tuned_model="ft:final", progress={"total_steps": 10, "epochs": 3})


@pytest.mark.parametrize(
    ("step", "epoch"), [(3, 1), (4, 1), (5, None), (6, 2), (7, 2), (8, None), (10, 3), (0, None)]
)
def test_the_epoch_of_a_step_is_known_whichever_way_the_provider_rounds(step: int, epoch: int | None) -> None:
    assert epoch_ended(JOB, step) == epoch
    assert epoch_ended(a_job(progress={}), step) is None


def test_many_checkpoints_are_the_last_five_and_a_count() -> None:
    points = [a_checkpoint(number, 0.5) for number in range(1, 9)]
    said = flat(kept_line(a_job(progress={}), points))
    assert said.startswith("Also kept: triage-7@4 (step ")
    assert said.endswith(" · 3 earlier under Checkpoints")
    assert kept_line(JOB, []) == []

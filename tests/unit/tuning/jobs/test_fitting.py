"""Training and validation data fit each other and the provider, or the form says where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from storage.records import Dataset, Overlap
from tuning.datasets import Limits
from tuning.errors import StartRefused
from tuning.jobs.fitting import refuse_columns, refuse_overlap, refuse_size


def dataset(**report: Any) -> Dataset:
    whole: dict[str, Any] = {
        "file": "rows.jsonl", "sha256": "aa", "bytes": 2_048, "method": "reinforcement", "examples": 60,
        "verdict": "accept", "problems": [], **report,
    }  # fmt: skip
    return Dataset(
        1, "rows.jsonl", 1, "C1", "1.1", "U1", "d", "ready", 1.0, method=whole["method"], report=whole
    )


def test_overlapping_rows_are_refused_until_somebody_lets_them_stand() -> None:
    overlap = Overlap("a", "b", 2, 1, [4, 9, 12])
    with pytest.raises(StartRefused, match="3 rows are also in the training data or nearly so") as caught:
        refuse_overlap(overlap)
    assert (caught.value.field, "on your word" in caught.value.todo) == ("validation", True)
    refuse_overlap(overlap, allowed=True)
    refuse_overlap(Overlap("a", "b", 2, 1, [4, 9, 12], allowed_by="U1", allowed_at=1.0))
    refuse_overlap(Overlap("a", "b", 0, 0))
    refuse_overlap(None)


def test_reinforcement_files_need_the_same_columns() -> None:
    training = dataset(columns={"messages": 60, "answer": 60, "level": 60})
    refuse_columns(training, dataset(columns={"messages": 9, "answer": 9, "level": 9}))
    with pytest.raises(StartRefused, match=r"other columns than the training rows \(without level\)"):
        refuse_columns(training, dataset(columns={"messages": 9, "answer": 9}))
    refuse_columns(dataset(method="supervised"), dataset(method="supervised"))


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits("Acme", max_bytes=1_024), "2 KB; Acme takes 1 KB"),
        (Limits("Acme", max_reinforcement=(50, 10)), "60 examples; Acme takes 50"),
        (Limits("Acme", pictures=False), "Acme trains on text alone"),
        (Limits("Acme", max_pictured=2), "3 examples with pictures; Acme takes 2"),
    ],
)
def test_a_file_that_is_too_much_for_a_provider_is_refused_there(limits: Limits, why: str) -> None:
    with pytest.raises(StartRefused) as caught:
        refuse_size(limits, dataset(pictured=3))
    assert str(caught.value) == f"rows.jsonl v1 does not fit there: {why}."
    refuse_size(Limits("Wide"), dataset(pictured=3))

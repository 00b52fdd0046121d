"""Charts: the data_visualization block, which the published types of Block Kit lack."""

from __future__ import annotations

from typing import Any

import pytest

from localslack.blocks import check_blocks

POINTS = [{"label": "1", "value": 2.5}, {"label": "2", "value": 0}]


def line(**changes: Any) -> dict[str, Any]:
    axes = {"categories": ["1", "2"], "x_label": "Step", "y_label": "Loss"}
    chart = {"type": "line", "series": [{"name": "train", "data": POINTS}], "axis_config": axes}
    return {"type": "data_visualization", "title": "Loss", "chart": {**chart, **changes}}


def pie(*values: float) -> dict[str, Any]:
    segments = [{"label": str(number), "value": value} for number, value in enumerate(values)]
    return {"type": "data_visualization", "title": "Share", "chart": {"type": "pie", "segments": segments}}


@pytest.mark.parametrize("block", [line(), line(type="bar"), line(type="area"), pie(1, 2)])
def test_a_good_chart_is_taken_in_messages_and_home(block: dict[str, Any]) -> None:
    assert check_blocks([block], "message") is None
    assert check_blocks([block], "home") is None
    assert "not allowed" in (check_blocks([block], "modal") or "")


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([{**line(), "title": "x" * 51}], "at most 50 characters"),
        ([line(type="donut")], "unsupported type: donut"),
        ([line(series=[])], "at least 1 items"),
        ([line(series=[{"name": str(n), "data": POINTS} for n in range(7)])], "at most 6 items"),
        ([line(series=[{"name": "x" * 21, "data": POINTS}])], "at most 20 characters"),
        ([line(series=[{"name": "a", "data": POINTS}] * 2)], "the names must differ"),
        ([line(series=[{"name": "a", "data": POINTS[:1]}])], "labels must be those"),
        ([line(axis_config={"categories": []}, series=[{"name": "a", "data": []}])], "at least 1 items"),
        ([line(colour="red")], "unknown field: colour"),
        ([pie(1, 0)], "must be above 0"),
        ([pie(*range(1, 8))], "at most 6 items"),
        ([pie(1), pie(1), pie(1)], "a message may have 2 charts"),
    ],
)
def test_a_bad_chart_is_refused_with_its_place(blocks: list[dict[str, Any]], words: str) -> None:
    problem = check_blocks(blocks, "message") or ""
    assert words in problem
    assert "[json-pointer:/blocks" in problem

"""Safety checks, whatever shape they come in."""

from __future__ import annotations

from typing import Any

import pytest

from storage.records import Event
from tuning.jobs.safety import read_safety


def event(data: Any, message: str = "", type: str = "moderation_checks") -> Event:
    return Event(1, "e1", 1.0, "info", type, message, data)


@pytest.mark.parametrize(
    ("data", "passed", "total", "failed"),
    [
        ({"blocked": False, "results": [{"category": "hate", "passed": True}]}, 1, 1, []),
        (
            {"results": [{"category": "hate", "flagged": True}, {"category": "sex", "flagged": False}]},
            1,
            2,
            ["hate"],
        ),
        (
            {"items": [{"name": "hate", "status": "failed"}, {"name": "ok", "status": "passed"}]},
            1,
            2,
            ["hate"],
        ),
        ({"categories": {"hate": True, "violence": False}}, 1, 2, ["hate"]),
        ({"hate": {"enforcement": "block"}, "violence": {"enforcement": "allow"}}, 1, 2, ["hate"]),
        ({"results": ["hate", 7, None]}, 0, 3, ["hate", "7", "None"]),
        ({"results": "what"}, 0, 0, []),
        ({}, 0, 0, []),
    ],
)
def test_any_shape_gives_one_summary(data: Any, passed: int, total: int, failed: list[str]) -> None:
    found = read_safety(event(data))
    assert found is not None
    assert found.record() == {"passed": passed, "total": total, "failed": failed, "blocked": False}


def test_blocked_is_read_from_data_or_words() -> None:
    by_data = read_safety(event({"blocked": True, "results": []}))
    by_words = read_safety(event({}, "The model was blocked"))
    assert by_data is not None
    assert by_words is not None
    assert by_data.blocked
    assert by_words.blocked


def test_other_events_are_no_safety_checks() -> None:
    assert read_safety(event({"results": []}, type="message")) is None

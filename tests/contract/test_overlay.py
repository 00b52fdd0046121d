"""Each known deviation of OpenAI's answers from its description is real, and still needed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.openai_spec import deviations, trace_problems

ENTRIES = list(enumerate(deviations()))


@pytest.mark.parametrize(("number", "entry"), ENTRIES, ids=[entry["at"] for _, entry in ENTRIES])
def test_a_deviation_fits_its_trace_and_is_needed_for_it(number: int, entry: dict[str, Any]) -> None:
    assert entry["why"]
    assert trace_problems(entry) == []
    assert trace_problems(entry, without=number) != [], "the description has caught up: take the entry out"

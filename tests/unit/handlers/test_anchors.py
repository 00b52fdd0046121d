"""A click finds its button although the message was edited meanwhile."""

from __future__ import annotations

from typing import Any

from handlers.anchors import LONGEST, anchored
from handlers.views.layout import actions, button, small


def names(*blocks: dict[str, Any]) -> list[str | None]:
    return [block.get("block_id") for block in anchored({"blocks": list(blocks)})["blocks"]]


def test_a_row_of_buttons_keeps_its_name_when_the_text_above_it_changes() -> None:
    row = actions(button("Cancel…", "cancel", "triage-7"))
    before, after = names(row), names(small("2 %"), row)
    assert before == ["cancel:triage-7"]
    assert after == [None, "cancel:triage-7"]


def test_rows_that_mean_other_things_have_other_names_and_none_stands_twice() -> None:
    rows = [actions(button("Delete…", "delete", value)) for value in ("1", "2", "2")]
    assert names(*rows) == ["delete:1", "delete:2", "delete:2#2"]
    assert len(names(actions(button("x", "a", "v" * 2_000)))[0] or "") <= LONGEST


def test_a_button_beside_a_text_and_the_blocks_of_a_view_are_named_too() -> None:
    row = {"type": "section", "accessory": button("Delete…", "delete", "1")}
    assert anchored({"view": {"blocks": [row]}})["view"]["blocks"][0]["block_id"] == "delete:1"


def test_what_has_a_name_and_what_cannot_be_clicked_stay_as_they_are() -> None:
    blocks = [{"type": "input", "block_id": "name"}, small("grey"), {"type": "divider"}]
    body = {"channel": "C1", "blocks": blocks}
    assert anchored(body) == body

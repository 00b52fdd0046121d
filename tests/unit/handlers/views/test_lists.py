"""Home, the list of models and the archive: ten at a time, and no foreign text acts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings

from handlers.views.home import Mine, home
from handlers.views.lists import archive_list, jobs_list, models_list
from localslack.blocks import check_blocks, check_view
from storage.chat_records import Model
from tests.support.foreign import FOREIGN, acts_nowhere, view_is_inert
from tests.support.samples import NOW, a_dataset, a_job
from tuning.chat.service import ModelEntry


def entries(count: int, name: str = "triage") -> list[ModelEntry]:
    return [
        ModelEntry(f"{name}-{n}", "ready", "gpt", "openai", NOW, n == 3, Model("openai", f"ft:{n}", name))
        for n in range(count, 0, -1)
    ]


def shown(message: Any) -> str:
    return json.dumps(message.blocks)


def buttons(message: Any) -> dict[str, str]:
    rows = [b["elements"] for b in message.blocks if b["type"] == "actions"]
    return {e["text"]["text"]: e["value"] for row in rows for e in row if e["type"] == "button"}


def test_models_come_ten_at_a_time_the_one_in_use_first() -> None:
    first = models_list(entries(25), "/ft", archived=2)
    assert shown(first).index("triage-3") < shown(first).index("triage-25")
    assert "Models 1\\u201310" in shown(first)
    assert "triage-14" not in shown(first)
    assert buttons(first) == {"Older": "from-10", "Archive (2)": "archive"}
    last = models_list(entries(25), "/ft", start=20)
    assert buttons(last) == {"Newer": "from-10"}
    assert "external_select" in shown(last)
    assert buttons(models_list(entries(3), "/ft")) == {}


def test_jobs_come_ten_at_a_time_and_are_searched() -> None:
    made = [a_job(id=n, name=f"triage-{n}") for n in range(25, 0, -1)]
    first = jobs_list(made, NOW, "/ft", archived=1)
    assert buttons(first) == {"Older": "from-10", "Archive (1)": "archive"}
    assert "25 jobs in this channel, 25 under way" in first.text
    assert "triage-15" not in shown(first)
    assert "external_select" in shown(first)
    last = jobs_list(made, NOW, "/ft", start=20, here=False)
    assert buttons(last) == {"Newer": "from-10"}
    assert last.text == "25 jobs, 25 under way"
    assert check_blocks(first.blocks, "message") is None


def test_what_was_put_away_can_be_brought_back() -> None:
    made = [a_job(id=7, name="triage-1"), a_job(id=8, name="triage-2")]
    message = archive_list(entries(2), made)
    assert buttons(message) == {
        "Bring back triage-1": "7",
        "Bring back triage-2": "8",
        "Back to the models": "from-0",
    }
    assert check_blocks(message.blocks, "message") is None
    assert "Nothing was put away" in archive_list([], []).text
    assert buttons(models_list([], "/ft", archived=1)) == {"Archive (1)": "archive"}


def test_home_has_running_jobs_models_with_lifetime_datasets_spend_and_settings() -> None:
    ready = a_job(id=9, name="triage-6", state="ready", fine_tuned_model="ft:6")
    mine = Mine({9: "2027-01-14"}, [a_dataset()], True, 4.78, 1200, 3)
    view = home([a_job()], [ready], NOW + 700, "/ft", mine)
    words = json.dumps(view, ensure_ascii=False)
    for part in (
        "triage-7", " 61%", "stops on 14 Jan 2027", "Try triage-6", "triage.jsonl v7", "$4.78",
        "3 answers, 1,200 tokens written", "Settings of a channel…",
    ):  # fmt: skip
        assert part in words, part
    assert check_view(view) is None


@settings(max_examples=40, deadline=None)
@given(FOREIGN)
def test_slack_takes_home_and_lists_and_nothing_foreign_acts(odd: str) -> None:
    job = a_job(name=odd, base=odd, state="ready", fine_tuned_model=odd)
    running = a_job(name=odd, base=odd)
    mine = Mine({1: "2027-01-14"}, [replace(a_dataset(), name=odd)], True, 4.78, 1, 1)
    view = home([running] * 10, [replace(job, id=n) for n in range(10)], NOW, "/ft", mine)
    view_is_inert(view)
    models = [replace(e, name=f"{odd}{e.name}", base=odd, shutdown_date=odd) for e in entries(25)]
    for message in (models_list(models, "/ft", archived=3), archive_list(models, [job])):
        acts_nowhere(message)

"""A verb that was not told what it is about offers the choice: a few as buttons, many as a searched menu."""

from __future__ import annotations

from typing import Any

import pytest

from handlers import suggestions
from handlers.house import House
from handlers.verbs import dispatch
from tests.support.samples import a_dataset, a_job
from tests.unit.handlers.verbs.conftest import call, keep, said

STATES = {"job": "ready", "pause": "training", "resume": "paused", "cancel": "training"}


def jobs_in(state: str, count: int) -> list[Any]:
    return [
        a_job(id=n, intent=f"V{n}", name=f"triage-{n}", number=n, state=state, provider_job_id=f"ftjob-{n}")
        for n in range(1, count + 1)
    ]


def elements(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


@pytest.mark.parametrize("verb", STATES)
async def test_a_few_jobs_are_buttons_that_carry_the_verb(house: House, verb: str) -> None:
    await keep(house, a_dataset(), *jobs_in(STATES[verb], 3))
    answer = await dispatch(call(verb), house)
    assert answer is not None
    assert not answer.public
    found = elements(answer.message.blocks)
    assert [element["type"] for element in found] == ["button"] * 3
    assert {element["action_id"].partition(":")[0] for element in found} == {verb}
    assert {element["value"] for element in found} == {"#1", "#2", "#3"}


@pytest.mark.parametrize("verb", STATES)
async def test_many_jobs_are_a_menu_that_is_searched_ten_at_a_time(house: House, verb: str) -> None:
    await keep(house, a_dataset(), *jobs_in(STATES[verb], 23))
    answer = await dispatch(call(verb), house)
    assert answer is not None
    (menu,) = elements(answer.message.blocks)
    assert (menu["type"], menu["action_id"]) == ("external_select", f"{verb}_pick")
    body = {"action_id": menu["action_id"], "channel": {"id": "C1"}, "user": {"id": "U1"}}
    assert len(await suggestions.options(house, body | {"value": ""})) == 10
    hits = await suggestions.options(house, body | {"value": "triage-22"})
    assert [hit["value"] for hit in hits] == ["#22"]


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
async def test_where_there_is_nothing_to_choose_it_says_so(house: House, verb: str) -> None:
    await keep(house, a_dataset(), *jobs_in("ready", 2))
    answer = await dispatch(call(verb), house)
    assert answer is not None
    assert "No job here" in said(answer)
    assert "/ft jobs" in said(answer)


async def test_a_few_datasets_are_buttons_the_likeliest_first(house: House) -> None:
    names = ["triage.jsonl", "other.jsonl", "other-validation.jsonl"]
    drops = [
        a_dataset(id=n, name=name, drop_id=f"C1:1.{n}:F{n}", sha256=f"s{n}")
        for n, name in enumerate(names, 1)
    ]
    await keep(house, *drops)
    answer = await dispatch(call("start", surface="mention", trigger_id=None), house)
    assert answer is not None
    found = elements(answer.message.blocks)
    assert [element["value"] for element in found] == ["2", "3", "1"]
    assert len({element["action_id"] for element in found}) == 3


async def test_many_datasets_are_a_searched_menu_too(house: House) -> None:
    names = [f"set-{n}.jsonl" for n in range(12)]
    drops = [
        a_dataset(id=n, name=name, drop_id=f"C1:1.{n}:F{n}", sha256=f"s{n}")
        for n, name in enumerate(names, 1)
    ]
    await keep(house, *drops)
    answer = await dispatch(call("start", surface="mention", trigger_id=None), house)
    assert answer is not None
    (menu,) = elements(answer.message.blocks)
    assert (menu["type"], menu["action_id"]) == ("external_select", "start_pick")

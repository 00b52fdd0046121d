"""Lists of providers that page in ways of their own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.provider import BASE, FakeProvider
from tuning.errors import Unreachable
from tuning.providers import CreateJob, Gateway, reading

WANTED = CreateJob("i1", BASE, "supervised", "t-1", "file-1")


@pytest.mark.parametrize("size", [3, 100])
async def test_a_list_that_says_without_end_that_there_is_more_is_read_once(
    gateway: Gateway, provider: FakeProvider, tmp_path: Path, size: int
) -> None:
    provider.same_page, provider.page_size = True, size
    for step in range(1, 11):
        provider.step("ftjob-1", step, 10, 1.0)
        provider.checkpoint("ftjob-1", step, f"m{step}")
        provider.job()
    path = tmp_path / "x.jsonl"
    path.write_text("{}\n")
    await gateway.upload(path, "x.jsonl")
    async with asyncio.timeout(5):
        assert len(await gateway.newest_events("ftjob-1", set())) == min(size, 10)
        assert len(await gateway.checkpoints("ftjob-1")) == min(size, 10)
        assert len(await gateway.list_jobs({"ftjob-10", "ftjob-99"})) == 1
        assert await gateway.find_job(WANTED, filters=False) is None
        assert await gateway.find_file("y.jsonl") is None
    assert max(provider.calls.count(call) for call in provider.calls) <= 4


async def test_events_listed_oldest_first_are_read_to_the_end_and_in_order(
    gateway: Gateway, provider: FakeProvider
) -> None:
    provider.oldest_first, provider.page_size = True, 4
    for step in range(1, 11):
        provider.event("ftjob-1", f"before {step}", at=step // 3)
    every = [f"ftevent-ftjob-1-{n}" for n in range(10)]
    assert [e.id for e in await gateway.newest_events("ftjob-1", set())] == every
    assert [e.id for e in await gateway.newest_events("ftjob-1", set(every[:6]))] == every[6:]
    assert await gateway.newest_events("ftjob-1", set(every)) == []


async def test_events_of_one_second_on_several_pages_keep_the_order_of_the_list(
    gateway: Gateway, provider: FakeProvider
) -> None:
    provider.page_size = 4
    for number in range(10):
        provider.event("ftjob-1", f"word {number}", at=7)
    fresh = await gateway.newest_events("ftjob-1", set())
    assert [e.message for e in fresh] == [f"word {n}" for n in range(10)]


async def test_events_and_checkpoints_without_ids_are_told_apart(
    gateway: Gateway, provider: FakeProvider
) -> None:
    nameless: dict[str, Any] = {"id": None}
    for step in (1, 2, 3):
        provider.event("ftjob-1", f"Step {step}/3: training loss=1.0", at=step, **nameless)
        provider.checkpoint("ftjob-1", step, f"m{step}")
        provider.checkpoints["ftjob-1"][-1] |= nameless
    first = await gateway.newest_events("ftjob-1", set())
    assert len({e.id for e in first}) == 3
    provider.event("ftjob-1", "Step 4/3: training loss=1.0", at=4, **nameless)
    provider.page_size = 2
    later = await gateway.newest_events("ftjob-1", {e.id for e in first})
    assert [e.message for e in later] == ["Step 4/3: training loss=1.0"]
    provider.page_size = 100
    assert len({c.id for c in await gateway.checkpoints("ftjob-1")}) == 3


async def test_an_event_that_stands_on_two_pages_is_one(gateway: Gateway, provider: FakeProvider) -> None:
    provider.page_size = 3
    for number in range(6):
        provider.event("ftjob-1", f"word {number}", at=number)
    provider.events["ftjob-1"].insert(2, provider.events["ftjob-1"][3])
    fresh = await gateway.newest_events("ftjob-1", set())
    assert [e.message for e in fresh] == [f"word {n}" for n in range(6)]


@pytest.mark.parametrize("wrong", [float("inf"), float("nan"), 10**400, True, "7"])
def test_a_figure_that_is_no_number_is_none(wrong: Any) -> None:
    assert (reading.number(wrong), reading.whole(wrong)) == (None, None)


async def test_no_list_at_all_means_none_and_no_word_of_it_means_nothing(
    gateway: Gateway, provider: FakeProvider
) -> None:
    """Servers written in Go say null for an empty list; an answer without one proves no absence."""
    provider.nothing = {"object": "list", "data": None}
    assert await gateway.newest_events("ftjob-1", set()) == []
    assert await gateway.checkpoints("ftjob-1") == []
    assert await gateway.find_job(WANTED, filters=True) is None
    for strange in ({}, {"error": None}, {"object": "list"}):
        provider.nothing = strange
        with pytest.raises(Unreachable, match="no sense"):
            await gateway.find_job(WANTED, filters=True)


async def test_jobs_are_found_in_a_list_of_any_order_and_where_the_filter_is_ignored(
    gateway: Gateway, provider: FakeProvider
) -> None:
    provider.page_size, provider.filters_metadata = 2, False
    ids = [provider.job(metadata={"ftbot_intent": f"i{n}"})["id"] for n in range(9)]
    for provider.oldest_first in (False, True):
        assert set(await gateway.list_jobs({ids[0], ids[8]})) == {ids[0], ids[8]}
        for filters in (False, True):
            found = await gateway.find_job(WANTED, filters=filters)
            assert found is not None
            assert found.id == ids[1]
            assert await gateway.find_job(replace(WANTED, intent="none"), filters=filters) is None

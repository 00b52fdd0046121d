"""pause, resume, compare, follow and settings, with floor 2 played and a real store."""

from __future__ import annotations

from typing import Any, cast

from handlers.house import House
from handlers.verbs import dispatch
from storage import jobs, rooms
from storage.records import Job
from tests.support.house import PlayedSlack
from tests.support.samples import a_dataset, a_job
from tests.unit.handlers.verbs.conftest import call, keep, said


class Steered:
    """An engine that pauses and resumes at once."""

    def __init__(self, store: Any) -> None:
        self.store = store

    async def _to(self, job_id: int, state: Any) -> Job:
        await self.store.write(lambda db: jobs.change(db, job_id, state=state))
        return await self.store.read(lambda db: jobs.get(db, job_id))

    async def pause(self, job_id: int, by: str) -> Job:
        return await self._to(job_id, "paused")

    async def resume(self, job_id: int, by: str) -> Job:
        return await self._to(job_id, "training")

    async def unknown_jobs(self) -> list[Any]:
        return []

    async def follow(self, wanted: str, channel: str, user: str) -> Job:
        return await self.store.read(lambda db: jobs.get(db, 1))


async def steered(house: House) -> House:
    await keep(house, a_dataset(), a_job())
    object.__setattr__(house, "engine", cast(Any, Steered(house.store)))
    return house


async def test_a_job_is_paused_and_goes_on(house: House) -> None:
    await steered(house)
    answer = await dispatch(call("pause", "triage-7"), house)
    assert answer
    assert "is paused." in said(answer)
    answer = await dispatch(call("resume"), house)
    assert answer
    assert "resume:choice0" in said(answer)
    answer = await dispatch(call("resume", "#1", surface="action"), house)
    assert answer
    assert "goes on." in said(answer)


async def test_only_who_started_a_job_and_admins_pause_it(house: House) -> None:
    await steered(house)
    answer = await dispatch(call("pause", "triage-7", user="U2"), house)
    assert answer
    assert "Only the person who started" in said(answer)
    answer = await dispatch(call("pause", "triage-7", user="UADMIN"), house)
    assert answer
    assert "is paused." in said(answer)


async def test_a_level_that_is_typed_is_set_and_told_to_the_channel(house: House) -> None:
    answer = await dispatch(call("settings", "quiet"), house)
    assert answer
    assert answer.public
    now = await house.store.read(lambda db: rooms.settings_of(db, "C1"))
    assert now.notices == "quiet"
    answer = await dispatch(call("settings", "loud"), house)
    assert answer
    assert "Notices are quiet, normal, verbose." in said(answer)


async def test_compare_without_names_opens_a_form_with_two_menus(house: House) -> None:
    assert await dispatch(call("compare"), house) is None
    view = cast(PlayedSlack, house.client).asked("views_open")[0]["view"]
    menus = [b["element"]["type"] for b in view["blocks"]]
    assert menus == ["external_select", "external_select", "plain_text_input"]
    answer = await dispatch(call("compare", trigger_id=None, surface="mention"), house)
    assert answer
    assert "Which two models?" in said(answer)


async def test_follow_says_when_nothing_is_left_to_follow(house: House) -> None:
    await steered(house)
    answer = await dispatch(call("follow"), house)
    assert answer
    assert "No provider has a job" in said(answer)
    answer = await dispatch(call("follow", "ftjob-abc"), house)
    assert answer
    assert "is followed here now" in said(answer)

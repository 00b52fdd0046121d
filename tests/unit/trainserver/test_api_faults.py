"""Faults on order: carried out once each, only where they were allowed at the start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.unit.trainserver.inprocess import Inside, inside
from trainserver.api.app import create_app


@pytest.fixture
def breakable(tmp_path: Path, config: Path) -> Inside:
    made = inside(tmp_path / "data", config)
    return replace(made, app=create_app(made.state, breakable=True))


async def ask(app: Any, verb: str, /, **order: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://inside") as client:
        return await client.request(verb, "/faults", json=order or None)


async def test_a_fault_hits_as_often_as_was_said_and_only_what_fits(breakable: Inside) -> None:
    order = {"method": "GET", "path": "/v1/models", "status": 429, "code": "slow_down", "retry_after": 2}
    assert (await ask(breakable.app, "POST", **order, times=2)).json() == {"open": 1}
    async with breakable.client() as client:
        assert (await client.files.list()).data == []
        for _ in range(2):
            with pytest.raises(openai.RateLimitError) as broken:
                await client.models.list()
            assert (broken.value.code, broken.value.response.headers["retry-after"]) == ("slow_down", "2")
        assert (await client.models.list()).data


@pytest.mark.parametrize(("effect", "kept"), [(True, 1), (False, 0)])
async def test_an_answer_may_be_lost_after_the_work_was_done(
    breakable: Inside, effect: bool, kept: int
) -> None:
    await ask(breakable.app, "POST", method="POST", path="/v1/files", status=500, effect=effect)
    async with breakable.client() as client:
        with pytest.raises(openai.InternalServerError):
            await client.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune")
        assert len((await client.files.list()).data) == kept


async def test_orders_can_be_taken_back_and_wrong_ones_are_refused(breakable: Inside) -> None:
    await ask(breakable.app, "POST", method="GET", path=".*", status=500, times=9)
    assert (await ask(breakable.app, "DELETE")).json() == {"open": 0}
    async with breakable.client() as client:
        assert (await client.models.list()).data
    assert (await ask(breakable.app, "POST", method="GET", path=".*", status=200)).status_code == 400


async def test_a_server_of_people_takes_no_orders(app: Inside) -> None:
    assert (await ask(app.app, "POST", method="GET", path=".*")).status_code == 404

"""The real trainer breaks on order; what it did all the same is told once, and nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from demo.provider import ProviderTruth
from tests.faults.places import told_truly
from tests.support.workspace import BASE, Workspace, chat_file, choose, typed, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

JOBS = "/v1/fine_tuning/jobs"


@dataclass
class Breakable:
    """The programs, the trainer's truth, and a way to order its faults."""

    place: Workspace
    truth: ProviderTruth

    async def order(self, method: str, path: str, **how: Any) -> None:
        trainer = self.place.programs.running["trainserver"].url.removesuffix("/v1")
        headers = {"Authorization": f"Bearer {self.place.programs.api_key}"}
        wanted = {"method": method, "path": path, **how}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{trainer}/faults", json=wanted) as said,
        ):
            assert said.status == 200, await said.text()

    async def begin(self, channel: str, name: str) -> None:
        await self.place.drop(channel, "train.jsonl", chat_file(12, name))
        await self.place.ready(channel, 1)
        view = await self.place.open_form(channel)
        await self.place.submitted(view, choose(view, "dataset", "train.jsonl") | typed(view, "name", name))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trainer(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Breakable]:
    folder: Path = tmp_path_factory.mktemp("trainer")
    async with workspace(folder, faults=True) as place:
        truth = ProviderTruth(place.programs.running["trainserver"].url, place.programs.api_key)
        yield Breakable(place, truth)
        await truth.close()


async def test_1_2_and_6_lost_answers_limits_and_silence_delay_a_job_and_double_nothing(
    trainer: Breakable,
) -> None:
    await trainer.order("POST", "/v1/files", status=502, effect=True)
    await trainer.order("POST", JOBS, status=500, effect=True)
    await trainer.order("GET", JOBS, status=429, code="rate_limit_exceeded", retry_after=1, times=2)
    await trainer.order("GET", f"{JOBS}/[^/]+/events", status=503, times=4)
    await trainer.order("GET", f"{JOBS}/[^/]+/checkpoints", status=500, times=3)
    channel = await trainer.place.channel()
    await trainer.begin(channel, "rough")
    await trainer.place.finished(channel, await trainer.place.root(channel, "rough-1"))
    (theirs,) = await trainer.truth.newest_jobs(100)
    await told_truly(trainer.place, channel, "rough-1", theirs)
    assert [file["id"] for file in await trainer.truth.files() if file["purpose"] == "fine-tune"] == [
        theirs["training_file"]
    ]


async def test_6_a_final_refusal_is_explained_and_the_file_goes(trainer: Breakable) -> None:
    jobs, files = await trainer.truth.newest_jobs(100), await trainer.truth.files()
    await trainer.order("POST", JOBS, status=403, code="training_not_available", message="no")
    channel = await trainer.place.channel()
    await trainer.begin(channel, "refused")
    await trainer.place.root(channel, "closing its fine-tuning service")

    async def deleted() -> bool:
        return await trainer.truth.files() == files

    await trainer.place.jin.wait("the file deleted at the trainer", deleted, 60)
    assert await trainer.truth.newest_jobs(100) == jobs


async def test_6_a_question_is_answered_though_the_model_fails_at_first(trainer: Breakable) -> None:
    await trainer.order("POST", "/v1/(chat/completions|responses)", status=503, times=2)
    channel = await trainer.place.channel()
    asked = await trainer.place.jin.say(channel, f"@ftbot ask {BASE} hello?")
    await trainer.place.reply(channel, asked, BASE)

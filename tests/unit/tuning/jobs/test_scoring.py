"""The score of a finished job: base beside tuned, and the finished notice with it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.facts import finish_facts
from storage import chats, datasets, jobs, outbox
from storage.chat_records import ChannelModel
from storage.records import Dataset, Evaluation
from tests.support.provider import BASE, FakeProvider, serving
from tests.support.samples import a_job, a_report
from tests.unit.tuning.jobs.conftest import Works
from tuning.datasets.report import Tokens
from tuning.errors import EvaluationFailed
from tuning.jobs.scoring import offer
from tuning.providers import Base, ProviderConfig, Providers

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"


@pytest.fixture(autouse=True)
def free(works: Works) -> None:
    """The provider takes no fee, unless a test says otherwise."""
    charge(works, 0.0)


def charge(works: Works, price: float) -> None:
    """The provider's one base and its price."""
    fact = {"fine_tunable": True, "methods": ["supervised"], "price_per_1m_tokens": price}
    works.house.provider.models = [{"id": BASE, "object": "model", "x_fine_tuning": fact}]


async def validation(works: Works, rows: int = 4) -> Dataset:
    made = await works.house.dataset("val.jsonl", "b")
    lines = [
        {
            "messages": [
                {"role": "system", "content": "Route it."},
                {"role": "user", "content": f"Ticket {n}"},
                {"role": "assistant", "content": f"team {n}"},
            ]
        }
        for n in range(rows)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (works.house.folder / f"{'b' * 64}.jsonl").write_text(text)
    return made


def finish(works: Works) -> None:
    works.house.provider.jobs[0] |= {"status": "succeeded", "fine_tuned_model": MODEL, "trained_tokens": 3000}


async def evaluation(works: Works) -> Evaluation:
    found = await works.house.store.read(lambda db: jobs.evaluation_of(db, 1))
    assert found is not None
    return found


def knows(body: dict[str, Any]) -> str:
    asked = body["messages"][-1]["content"].removeprefix("Ticket ")
    return f" team {asked}\n" if body["model"] == MODEL or asked == "0" else "no idea"


async def test_base_and_tuned_model_are_scored_before_the_job_is_called_finished(works: Works) -> None:
    works.house.provider.answer = knows
    rows = await validation(works)
    job = await works.started(validation_id=rows.id)
    sent = {str(file["id"]): str(file["filename"]) for file in works.house.provider.files}
    assert rows.sha256 is not None
    assert sent[works.house.provider.created[0]["validation_file"]].startswith(rows.sha256[:12])
    finish(works)
    await works.pass_time()
    await works.engine.settle()
    found = await evaluation(works)
    assert found.state == "done"
    assert found.scores == [
        {"label": BASE, "model": BASE, "right": 1, "total": 4},
        {"label": "triage-1", "model": MODEL, "right": 4, "total": 4},
    ]
    assert (await works.job()).state == "ready"
    assert await works.kinds() == ["job_finished:1"]
    assert all(chat["temperature"] == 0 for chat in works.house.provider.chats)
    assert job.name == "triage-1"


@pytest.mark.long
async def test_a_model_that_does_not_answer_leaves_the_job_ready_without_a_score(works: Works) -> None:
    rows = await validation(works, rows=1)
    await works.started(validation_id=rows.id)
    finish(works)
    works.house.provider.fault("POST", "/chat/completions", status=404, code="model_not_found", times=999)
    await works.pass_time()
    assert (await works.job()).state == "scoring"
    assert await works.kinds() == []
    for _ in range(3):
        await works.pass_time()
    found = await evaluation(works)
    assert found.state == "failed"
    assert found.error
    assert (await works.job()).state == "ready"
    assert await works.kinds() == ["job_finished:1"]


async def test_a_score_cut_off_by_a_death_is_begun_again(works: Works) -> None:
    works.house.provider.answer = knows
    rows = await validation(works)
    await works.started(validation_id=rows.id)
    finish(works)
    works.house.provider.fault("POST", "/chat/completions", hang=60.0, times=4)
    works.house.now += 400
    await works.engine.tick()
    await works.until(lambda: works.house.provider.count("POST", "/chat/completions") > 0)
    await works.new_life()
    await works.pass_time()
    assert (await evaluation(works)).state == "done"
    assert await works.kinds() == ["job_finished:1"]


async def test_the_channels_present_model_is_scored_between_base_and_new_one(works: Works) -> None:
    works.house.provider.answer = knows
    rows = await validation(works)
    await works.started(validation_id=rows.id)
    now = ChannelModel("C1", "openai", "ft:old", "triage-0", "U1", works.house.now)
    await works.house.store.write(lambda db: chats.use(db, now))
    finish(works)
    await works.pass_time()
    assert [one["label"] for one in (await evaluation(works)).scores] == [BASE, "triage-0", "triage-1"]


async def test_where_answers_cost_nothing_is_asked_before_a_person_says_so(works: Works) -> None:
    charge(works, 5.0)
    works.house.provider.answer = knows
    rows = await validation(works)
    await works.started(validation_id=rows.id)
    finish(works)
    for _ in range(3):
        await works.pass_time()
    assert ((await works.job()).state, (await evaluation(works)).state) == ("ready", "asked")
    assert await works.kinds() == ["job_finished:1"]
    assert works.house.provider.chats == []
    wanted = await works.house.store.read(lambda db: offer(db, jobs.get(db, 1), None))
    assert wanted is not None
    assert (wanted.rows, wanted.models) == (12, 2)

    await works.engine.score(1)
    with pytest.raises(EvaluationFailed, match="is being scored"):
        await works.engine.score(1)
    await works.pass_time()
    with pytest.raises(EvaluationFailed, match="was scored already"):
        await works.engine.score(1)
    assert (await evaluation(works)).scores[1]["right"] == 4
    (told,) = await works.house.store.read(lambda db: outbox.of_kind(db, "job_scored"))
    assert told.thread_of == "job:1"
    assert (await works.job()).state == "ready"


OTHER = "gpt-4.1-2025-04-14"


@asynccontextmanager
async def two_places(works: Works, price: float) -> AsyncGenerator[FakeProvider]:
    """A job at one provider, in a channel that answers with a model made at another of this price."""
    charge(works, 5.0)
    works.house.provider.answer = knows
    rows = await validation(works)
    measured = Tokens(12_000, 1_000, 1_000, 1_000, 0, None, "o200k_base", True)
    report = a_report(examples=12, answer_tokens=1_200, tokens=measured).to_record()
    await works.house.store.write(lambda db: datasets.change(db, rows.id, report=report))
    await works.started(validation_id=rows.id)
    old = a_job(id=0, intent="old", name="old-1", suffix="old", number=1, provider="other", base=OTHER)
    old = replace(old, dataset_id=rows.id, state="ready")
    made = await works.house.store.write(lambda db: jobs.add(db, old))
    now = ChannelModel("C1", "other", "ft:old", "old-1", "U1", works.house.now, job_id=made.id)
    await works.house.store.write(lambda db: chats.use(db, now))
    async with serving(FakeProvider()) as there:
        fact = {"fine_tunable": True, "methods": ["supervised"], "price_per_1m_tokens": price}
        there.models = [{"id": OTHER, "object": "model", "x_fine_tuning": fact}]
        places = {"openai": works.house.provider, "other": there}
        configs = [ProviderConfig(name, one.base_url, "sk-test") for name, one in places.items()]
        works.house.providers = Providers(configs, timeout=2.0, retries=0)
        await works.new_life()
        yield there
        await works.engine.close()
        await works.house.providers.close()


@pytest.mark.parametrize("price", [25.0, 0.0])
async def test_a_present_model_elsewhere_is_in_the_price_and_asked_where_a_person_said_so(
    works: Works, price: float
) -> None:
    async with two_places(works, price) as there:
        finish(works)
        for _ in range(3):
            await works.pass_time()
        house: Any = SimpleNamespace(store=works.house.store, providers=works.house.providers)
        wanted = (await finish_facts(house, await works.job())).score_offer
        own = Base(BASE, BASE, price_per_1m=5.0)
        alone = await works.house.store.read(lambda db: offer(db, jobs.get(db, 1), own))
        assert wanted is not None
        assert alone is not None
        assert (alone.models, wanted.models) == (2, 3)
        assert (wanted.usd or 0) > (alone.usd or 0) if price else wanted.usd == alone.usd
        assert there.chats == []

        await works.engine.score(1)
        await works.pass_time()
        assert [one["label"] for one in (await evaluation(works)).scores] == [BASE, "old-1", "triage-1"]
        assert {chat["model"] for chat in there.chats} == {"ft:old"}


async def test_a_present_model_whose_price_nobody_knows_makes_the_price_of_the_score_unknown(
    works: Works,
) -> None:
    async with two_places(works, 25.0) as there:
        there.fault("GET", "/models", status=500, times=99)
        finish(works)
        for _ in range(3):
            await works.pass_time()
        house: Any = SimpleNamespace(store=works.house.store, providers=works.house.providers)
        wanted = (await finish_facts(house, await works.job())).score_offer
        assert wanted is not None
        assert (wanted.models, wanted.usd) == (3, None)


async def test_a_job_without_validation_rows_has_no_score_to_ask_for(works: Works) -> None:
    charge(works, 5.0)
    await works.started()
    finish(works)
    await works.pass_time()
    with pytest.raises(EvaluationFailed, match="no validation rows"):
        await works.engine.score(1)
    assert await works.house.store.read(lambda db: offer(db, jobs.get(db, 1), None)) is None

"""The score of a finished job: base beside tuned, and the finished notice with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from storage import chats, jobs, outbox
from storage.records import ChannelModel, Dataset, Evaluation
from tests.support.provider import BASE
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import EvaluationFailed
from tuning.jobs.scoring import offer

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


async def test_a_job_without_validation_rows_has_no_score_to_ask_for(works: Works) -> None:
    charge(works, 5.0)
    await works.started()
    finish(works)
    await works.pass_time()
    with pytest.raises(EvaluationFailed, match="no validation rows"):
        await works.engine.score(1)
    assert await works.house.store.read(lambda db: offer(db, jobs.get(db, 1), None)) is None

"""The score of a finished job: base beside tuned, and the finished notice with it."""

from __future__ import annotations

import json
from typing import Any

from storage import jobs
from storage.records import Dataset, Evaluation
from tests.support.provider import BASE
from tests.unit.tuning.jobs.conftest import Works

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"


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

"""Creating, listing, pausing and resuming jobs: every parameter and its limits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.unit.trainserver.conftest import Server, lines, until
from tests.unit.trainserver.inprocess import Inside
from trainserver import events, jobs
from trainserver.api.app import create_app
from trainserver.api.job_body import Create
from trainserver.errors import BadRequest
from trainserver.hyperparameters import Resolved


async def create(client: AsyncOpenAI, **options: Any) -> Any:
    file = await client.files.create(file=("a.jsonl", lines(12)), purpose="fine-tune")
    call: Any = client.fine_tuning.jobs.create
    return await call(**{"model": "tiny", "training_file": file.id, **options})


async def test_what_was_asked_comes_back(client: AsyncOpenAI):
    numbers = {"n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": 0.5}
    job = await create(
        client,
        suffix="my-model",
        seed=11,
        metadata={"a": "1"},
        method={"type": "supervised", "supervised": {"hyperparameters": numbers}},
    )
    assert (job.status, job.seed, job.metadata) == ("validating_files", 11, {"a": "1"})
    assert job.user_provided_suffix == "my-model"
    assert job.method.supervised.hyperparameters.to_dict() == numbers
    assert job.hyperparameters.to_dict() == numbers
    assert job.result_files == []
    assert job.trained_tokens is None


async def test_the_deprecated_place_of_hyperparameters_counts_where_the_method_names_none(
    client: AsyncOpenAI,
):
    job = await create(client, hyperparameters={"n_epochs": 4}, method={"type": "supervised"})
    assert job.hyperparameters.n_epochs == 4
    assert job.method.supervised.hyperparameters.n_epochs == 4


async def test_a_preference_job_has_its_numbers_in_the_method_alone(app: Inside, client: AsyncOpenAI):
    job = await create(
        client, method={"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.3, "n_epochs": 2}}}
    )
    assert job.hyperparameters is None
    assert job.method.type == "dpo"
    assert job.method.dpo.hyperparameters.to_dict() == {
        "beta": 0.3,
        "n_epochs": 2,
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
    }


LIMITS: list[tuple[dict[str, Any], str]] = [
    ({"suffix": ""}, "suffix"),
    ({"suffix": "x" * 65}, "suffix"),
    ({"seed": 2**31}, "seed"),
    ({"seed": "1"}, "seed"),
    ({"metadata": {str(i): "x" for i in range(17)}}, "metadata"),
    ({"metadata": {"k" * 65: "x"}}, "metadata"),
    ({"metadata": {"k": "x" * 513}}, "metadata.k"),
    ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs"),
    ({"hyperparameters": {"n_epochs": True}}, "hyperparameters.n_epochs"),
    ({"hyperparameters": {"batch_size": 257}}, "hyperparameters.batch_size"),
    ({"hyperparameters": {"learning_rate_multiplier": 0}}, "hyperparameters.learning_rate_multiplier"),
    ({"method": {"type": "magic"}}, "method.type"),
    (
        {"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 2.1}}}},
        "method.dpo.hyperparameters.beta",
    ),
    ({"integrations": [{"type": "wandb"}]}, "integrations.0.wandb"),
    ({"integrations": [{"type": "mlflow", "wandb": {"project": "p"}}]}, "integrations.0.type"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("options", "param"), LIMITS, ids=[str(i) for i in range(len(LIMITS))])
async def test_each_documented_limit_is_kept_and_named(
    client: AsyncOpenAI, options: dict[str, Any], param: str
):
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post(
            "/fine_tuning/jobs",
            cast_to=object,
            body={"model": "tiny", "training_file": "file-x", **options},
        )
    assert caught.value.type == "invalid_request_error"
    assert (caught.value.param or "").startswith(param)


def test_the_limits_themselves_are_allowed():
    made = Create.model_validate(
        {
            "model": "m",
            "training_file": "f",
            "suffix": "x" * 64,
            "seed": 2**31 - 1,
            "metadata": {f"{i:064}": "x" * 512 for i in range(16)},
            "method": {
                "type": "dpo",
                "dpo": {"hyperparameters": {"n_epochs": 50, "batch_size": 256, "beta": 2}},
            },
        }
    )
    assert made.method is not None


def test_reinforcement_is_refused_by_name_whatever_comes_with_it():
    body = Create.model_validate(
        {
            "model": "m",
            "training_file": "f",
            "method": {"type": "reinforcement", "reinforcement": {"grader": {}}},
        }
    )
    with pytest.raises(BadRequest) as caught:
        body.asked()
    assert (caught.value.code, caught.value.param) == ("unsupported_method", "method")


async def test_graders_are_refused_too(client: AsyncOpenAI):
    with pytest.raises(openai.BadRequestError) as caught:
        await client.fine_tuning.alpha.graders.validate(
            grader={"type": "string_check", "name": "n", "input": "a", "reference": "b", "operation": "eq"}
        )
    assert caught.value.code == "unsupported_method"


async def test_wandb_needs_the_servers_key(app: Inside, client: AsyncOpenAI):
    asked: Any = [{"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}]
    with pytest.raises(openai.BadRequestError) as caught:
        await create(client, integrations=asked)
    assert (caught.value.code, caught.value.param) == ("wandb_not_configured", "integrations")
    app.app = create_app(replace(app.state, wandb_key="secret"))
    async with app.client() as other:
        job = await create(other, integrations=asked)
    assert [one.to_dict() for one in job.integrations] == asked


async def test_jobs_are_listed_newest_first_in_pages_and_by_metadata(client: AsyncOpenAI):
    plain = await create(client)
    red = await create(client, metadata={"team": "red", "n": "1"})
    blue = await create(client, metadata={"team": "blue"})
    empty = await create(client, metadata={})
    listed = client.fine_tuning.jobs.list
    assert [job.id async for job in listed(limit=1)] == [empty.id, blue.id, red.id, plain.id]
    assert [job.id async for job in listed(metadata={"team": "red", "n": "1"})] == [red.id]
    assert [job.id async for job in listed(metadata={"team": "red", "n": "2"})] == []
    none: Any = await client.get("/fine_tuning/jobs?metadata=null", cast_to=object)
    assert [job["id"] for job in none["data"]] == [empty.id, plain.id]
    with pytest.raises(openai.NotFoundError):
        await listed(after="ftjob-unknown")


async def test_a_waiting_job_pauses_at_once_and_resumes_where_it_was(app: Inside, client: AsyncOpenAI):
    waiting, queued = await create(client), await create(client)
    with app.state.database.write() as connection:
        jobs.mark_validated(connection, queued.id)
    for job_id, before in ((waiting.id, "validating_files"), (queued.id, "queued")):
        for _ in range(2):
            assert (await client.fine_tuning.jobs.pause(job_id)).status == "paused"
            with pytest.raises(openai.BadRequestError):
                await client.fine_tuning.jobs.pause(job_id)
            assert (await client.fine_tuning.jobs.resume(job_id)).status == before
        with pytest.raises(openai.BadRequestError) as caught:
            await client.fine_tuning.jobs.resume(job_id)
        assert caught.value.code == "job_not_paused"
    with app.state.database.read() as connection:
        told = [event.message for event in events.listed(connection, queued.id, limit=99, after=None)[0]]
    assert told.count("Fine-tuning job paused") == told.count("Fine-tuning job resumed") == 2


async def test_the_answer_to_pause_comes_when_the_running_job_has_stopped(app: Inside, client: AsyncOpenAI):
    job = await create(client)
    with app.state.database.write() as connection:
        jobs.mark_validated(connection, job.id)
        jobs.mark_running(connection, job.id, Resolved(1, 1, 1.0))
    asked = asyncio.create_task(client.fine_tuning.jobs.pause(job.id))
    async with asyncio.timeout(30):
        while True:
            with app.state.database.read() as connection:
                if jobs.wish(connection, job.id) == "pause":
                    break
            await asyncio.sleep(0.01)
    with app.state.database.write() as connection:
        jobs.mark_paused(connection, job.id)
    answer = await asked
    assert (answer.status, answer.estimated_finish) == ("paused", None)
    assert (await client.fine_tuning.jobs.cancel(job.id)).status == "cancelled"


async def test_a_pause_can_be_taken_back_before_it_comes(
    app: Inside, client: AsyncOpenAI, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("trainserver.api.jobs.PAUSE_SECONDS", 0)
    job = await create(client)
    with app.state.database.write() as connection:
        jobs.mark_validated(connection, job.id)
        jobs.mark_running(connection, job.id, Resolved(1, 1, 1.0))
    assert (await client.fine_tuning.jobs.pause(job.id)).status == "running"
    assert (await client.fine_tuning.jobs.resume(job.id)).status == "running"
    with app.state.database.read() as connection:
        assert jobs.wish(connection, job.id) is None


@pytest.mark.long
def test_a_training_job_pauses_and_goes_on_to_its_end(server: Server):
    job = server.job(hyperparameters={"n_epochs": 12, "batch_size": 4})
    until(lambda: any(event.type == "metrics" for event in server.events(job.id)), "a first step")
    assert server.client.fine_tuning.jobs.pause(job.id).status in ("paused", "running")
    server.status(job.id, "paused")
    paused_at = len([event for event in server.events(job.id) if event.type == "metrics"])
    assert server.client.fine_tuning.jobs.resume(job.id).status == "queued"
    done = server.finished(job.id)
    assert done.status == "succeeded", done.error
    steps: list[Any] = [event.data for event in server.events(job.id) if event.type == "metrics"]
    assert paused_at < 36
    assert [step["step"] for step in steps] == list(range(1, 37))

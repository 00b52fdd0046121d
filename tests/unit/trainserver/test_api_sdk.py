"""The official client, synchronous and asynchronous, through every endpoint there is.

Each answer is held against OpenAI's description on its way (see `conftest.py`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import reduce
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.fine_tuning import FineTuningJob

from tests.contract import openai_wire
from tests.unit.trainserver.conftest import DEADLINE, Server, lines
from trainserver import models
from trainserver.database import Database
from trainserver.layout import Layout

Call = Callable[..., Awaitable[Any]]
ASK: list[Any] = [{"role": "user", "content": "n 3"}]


@pytest.fixture(params=["sync", "async"])
async def call(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Call]:
    """`await call("files.list", limit=3)` by one client or the other."""
    if request.param == "sync":

        async def ask(path: str, *values: Any, **options: Any) -> Any:
            method: Any = reduce(getattr, path.split("."), server.client)
            return await asyncio.to_thread(method, *values, **options)

        yield ask
        return
    options: Any = {"base_url": server.url, "api_key": "test", "max_retries": 0, "timeout": DEADLINE}
    async with AsyncOpenAI(**options, http_client=openai_wire.async_client()) as client:

        async def ask_async(path: str, *values: Any, **options: Any) -> Any:
            method: Any = reduce(getattr, path.split("."), client)
            answer = method(*values, **options)
            return await answer

        yield ask_async


async def events(stream: Any) -> list[Any]:
    """All events of a stream, however it is walked."""
    if hasattr(stream, "__aiter__"):
        return [event async for event in stream]
    return await asyncio.to_thread(list, stream)


async def test_files(call: Call):
    file = await call(
        "files.create",
        file=("a.jsonl", lines(1)),
        purpose="fine-tune",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert file.expires_at == file.created_at + 3600
    assert (await call("files.retrieve", file.id)).id == file.id
    assert (await call("files.wait_for_processing", file.id)).status == "processed"
    content = await call("files.content", file.id)
    assert content.content == lines(1)
    assert (await call("files.list", purpose="fine-tune", limit=1, order="desc")).data[0].id == file.id
    assert (await call("files.list", purpose="batch")).data == []
    assert (await call("files.delete", file.id)).deleted


async def test_uploads(call: Call):
    content = lines(6)
    halves = content[:100], content[100:]
    asked: dict[str, Any] = {
        "filename": "big.jsonl",
        "purpose": "fine-tune",
        "bytes": len(content),
        "mime_type": "text/jsonl",
    }
    upload = await call("uploads.create", **asked)
    assert upload.status == "pending"
    second, first = [
        await call("uploads.parts.create", upload.id, data=half) for half in (halves[1], halves[0])
    ]
    done = await call(
        "uploads.complete",
        upload.id,
        part_ids=[first.id, second.id],
        md5=hashlib.md5(content).hexdigest(),
    )
    assert done.status == "completed"
    assert (await call("files.content", done.file.id)).content == content
    other = await call("uploads.create", **asked)
    assert (await call("uploads.cancel", other.id)).status == "cancelled"


async def test_jobs(call: Call, trained: FineTuningJob):
    jobs = "fine_tuning.jobs"
    job = await call(
        f"{jobs}.create",
        model="tiny",
        training_file=trained.training_file,
        seed=3,
        suffix="walk",
        metadata={"walk": "yes"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto"}}},
    )
    assert (await call(f"{jobs}.pause", job.id)).status == "paused"
    assert (await call(f"{jobs}.retrieve", job.id)).status == "paused"
    assert (await call(f"{jobs}.resume", job.id)).status in ("validating_files", "queued")
    assert (await call(f"{jobs}.cancel", job.id)).status == "cancelled"
    assert job.id in [one.id for one in (await call(f"{jobs}.list", metadata={"walk": "yes"})).data]
    told = [event.message for event in (await call(f"{jobs}.list_events", job.id)).data]
    assert told[0] == "Fine-tuning job cancelled"
    assert {"Fine-tuning job paused", "Fine-tuning job resumed"} <= set(told)
    points = await call(f"{jobs}.checkpoints.list", trained.id, limit=2)
    assert [point.step_number for point in points.data] == [15, 12]


async def test_checkpoint_permissions(call: Call, trained: FineTuningJob):
    path = "fine_tuning.checkpoints.permissions"
    name = trained.fine_tuned_model
    given = await call(f"{path}.create", name, project_ids=["walk"])
    listed = await call(f"{path}.list", name, project_id="walk", order="ascending")
    permission = (given.data if hasattr(given, "data") else given)[0]
    assert [one.id for one in listed.data] == [permission.id]
    gone = await call(f"{path}.delete", permission.id, fine_tuned_model_checkpoint=name)
    assert gone.deleted


async def test_models(call: Call, server: Server, trained: FineTuningJob):
    assert {"tiny", trained.fine_tuned_model} <= {model.id for model in (await call("models.list")).data}
    assert (await call("models.retrieve", trained.fine_tuned_model)).owned_by == "ftbot"
    with Database(Layout(server.data).database).write() as connection:
        models.add(connection, "ft:tiny:ftbot::goes", "tiny", "tiny", trained.id, "jobs/none/epoch-1")
    assert (await call("models.delete", "ft:tiny:ftbot::goes")).deleted
    assert "ft:tiny:ftbot::goes" not in {model.id for model in (await call("models.list")).data}


async def test_graders_are_refused(call: Call):
    grader = {"type": "string_check", "name": "g", "operation": "eq", "input": "a", "reference": "b"}
    with pytest.raises(openai.BadRequestError, match="does not do"):
        await call("fine_tuning.alpha.graders.validate", grader=grader)
    with pytest.raises(openai.BadRequestError, match="does not do"):
        await call("fine_tuning.alpha.graders.run", grader=grader, model_sample="a")


async def test_chat(call: Call):
    options: dict[str, Any] = {"model": "tiny", "messages": ASK, "max_tokens": 4, "temperature": 0}
    whole = await call("chat.completions.create", **options, top_p=0.5, seed=1, stop=["~"])
    assert whole.usage.completion_tokens <= 4
    chunks = await events(await call("chat.completions.create", **options, stream=True))
    assert chunks[-1].choices[0].finish_reason


async def test_responses(call: Call):
    first = await call(
        "responses.create", model="tiny", input="n 3", instructions="Say it.", max_output_tokens=4
    )
    assert first.status in ("completed", "incomplete")
    assert (await call("responses.retrieve", first.id)).output_text == first.output_text
    told = await events(
        await call(
            "responses.create",
            model="tiny",
            input=[{"role": "user", "content": [{"type": "input_text", "text": "and?"}]}],
            previous_response_id=first.id,
            max_output_tokens=4,
            temperature=0,
            stream=True,
        )
    )
    assert [told[0].type, told[1].type] == ["response.created", "response.in_progress"]
    assert told[-1].type in ("response.completed", "response.incomplete")
    text = "".join(event.delta for event in told if event.type == "response.output_text.delta")
    assert told[-1].response.output_text == text
    assert [event.sequence_number for event in told] == list(range(len(told)))
    assert told[-1].response.usage.input_tokens > first.usage.input_tokens
    await call("responses.delete", first.id)


async def test_moderations(call: Call):
    answer = await call("moderations.create", input=["Good morning.", "I will hurt you, watch your back."])
    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].categories.harassment_threatening
    parts = await call("moderations.create", input=[{"type": "text", "text": "Good morning."}])
    assert not parts.results[0].flagged

"""Every request that is sent to a provider, against OpenAI's own description of what it takes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.contract.openai_spec import document, request_problems
from tests.support.provider import BASE, FakeProvider, serving
from tuning.errors import Refused
from tuning.jobs.uploading import PART_BYTES
from tuning.providers import CreateJob, Gateway

GRADER = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
}
TOOL = {
    "type": "function",
    "function": {"name": "lookup", "parameters": {"type": "object", "properties": {}}},
}
TURNS = [{"role": "system", "content": "Route it."}, {"role": "user", "content": "hi"}]


@dataclass
class Witness(FakeProvider):
    """A provider that holds what it is asked against the description; ``asked``: method and path of each."""

    wrong: list[str] = field(default_factory=list[str])
    asked: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    async def handle(self, request: Request) -> Response:
        path = _template(request.method, request.url.path.removeprefix("/v1"))
        content = request.headers.get("content-type", "").split(";")[0] or None
        raw, body = await request.body(), None
        if content == "application/json" and raw:
            body = json.loads(raw)
        elif content == "multipart/form-data":
            form = await request.form()  # closed by who answers
            body = {key: value if isinstance(value, str) else "" for key, value in form.multi_items()}
        content = content if raw else None
        found = request_problems(request.method, path, dict(request.query_params), content, body)
        self.wrong += [f"{request.method} {path}: {one}" for one in found]
        self.asked.add((request.method, path))
        return await super().handle(request)


def _template(method: str, path: str) -> str:
    """The path as the description has it; the most literal one where several fit."""
    described = sorted(document()["paths"], key=lambda one: one.count("{"))
    return next(
        one
        for one in described
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", one), path)
        and method.lower() in document()["paths"][one]
    )


@pytest.fixture
async def witness() -> AsyncIterator[Witness]:
    provider = Witness()
    async with serving(provider):
        yield provider
    assert provider.wrong == []


@pytest.fixture
async def gateway(witness: Witness) -> AsyncIterator[Gateway]:
    made = Gateway(witness.base_url, "sk-test", retries=0)
    yield made
    await made.close()


PLAIN = CreateJob("i1", BASE, "supervised", "triage-1", "file-1")
NUMBERS: dict[str, Any] = {"epochs": 3, "batch_size": 8, "learning_rate_multiplier": 0.5, "seed": 7}
CREATES = [
    PLAIN,
    replace(PLAIN, **NUMBERS, validation_file="file-2", wandb_project="support"),
    replace(PLAIN, method="dpo", beta=0.1, **NUMBERS),
    replace(PLAIN, method="reinforcement", grader=GRADER, validation_file="file-2", **NUMBERS),
]


@pytest.mark.parametrize("wanted", CREATES, ids=["plain", "supervised", "dpo", "reinforcement"])
async def test_a_create_says_only_what_is_described(
    gateway: Gateway, witness: Witness, wanted: CreateJob
) -> None:
    made = await gateway.create_job(wanted)
    assert (await gateway.find_job(wanted, filters=True)) == made
    assert (await gateway.find_job(replace(wanted, intent="i2"), filters=False)) is None
    assert witness.asked == {("POST", "/fine_tuning/jobs"), ("GET", "/fine_tuning/jobs")}


async def test_a_job_is_watched_and_steered_as_described(gateway: Gateway, witness: Witness) -> None:
    job = (await gateway.create_job(PLAIN)).id
    witness.page_size = 2
    for step in range(1, 6):
        witness.step(job, step, 5, 1.0)
        witness.checkpoint(job, step, f"m{step}")
    await gateway.models()
    await gateway.newest_jobs()
    await gateway.list_jobs({job, "ftjob-9"})
    await gateway.retrieve(job)
    assert len(await gateway.newest_events(job, set())) == len(await gateway.checkpoints(job)) == 5
    for steer in (gateway.pause, gateway.resume):
        with suppress(Refused):
            await steer(job)
    await gateway.cancel(job)
    await gateway.delete_model("ft:x")
    one = "/fine_tuning/jobs/{fine_tuning_job_id}"
    assert {(m, p) for m, p in witness.asked if p.startswith(one)} == {
        ("GET", one),
        ("GET", f"{one}/events"),
        ("GET", f"{one}/checkpoints"),
        ("POST", f"{one}/pause"),
        ("POST", f"{one}/resume"),
        ("POST", f"{one}/cancel"),
    }


async def test_a_file_goes_up_in_one_piece_and_in_parts_as_described(
    gateway: Gateway, witness: Witness, tmp_path: Path
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("{}\n" * 5)
    whole = await gateway.upload(path, "abc-x.jsonl")
    session = await gateway.begin_parts("abc-y.jsonl", 8)
    parts = [await gateway.add_part(session, data) for data in (b"1234", b"5678")]
    file_id = await gateway.complete_parts(session, parts)
    await gateway.cancel_parts(await gateway.begin_parts("abc-z.jsonl", 8))
    assert await gateway.find_file("abc-y.jsonl") == file_id
    assert await gateway.has_file(whole)
    await gateway.delete_file(whole)
    assert {path for _, path in witness.asked} == {
        "/files",
        "/files/{file_id}",
        "/uploads",
        "/uploads/{upload_id}/parts",
        "/uploads/{upload_id}/complete",
        "/uploads/{upload_id}/cancel",
    }
    assert witness.announced[session]["mime_type"] == "text/jsonl"
    assert PART_BYTES <= 64 << 20  # what a part may hold


@pytest.mark.parametrize("responses", [False, True])
async def test_a_model_is_asked_as_described(gateway: Gateway, witness: Witness, responses: bool) -> None:
    how: dict[str, Any] = {"tools": [TOOL], "max_tokens": 50, "temperature": 0.5}
    async for _ in gateway.stream_chat("ft:x", TURNS, responses=responses, **how):
        pass
    await gateway.complete("ft:x", TURNS, **how)
    assert ("POST", "/responses" if responses else "/chat/completions") in witness.asked

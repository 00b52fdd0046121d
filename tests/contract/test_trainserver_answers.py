"""trainserver answers as OpenAI's description says: every route, a whole job, streams and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.openai_spec import chunk_problems, error_problems, problems, schema_problems
from tests.contract.trainserver_client import Trainer
from tuning.errors import Refused
from tuning.providers import Gateway

Json = dict[str, Any]
ASK: Json = {"messages": [{"role": "user", "content": "hello"}], "max_completion_tokens": 4}


def rows(count: int) -> list[Json]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"ticket {n}"},
                {"role": "assistant", "content": f"team {n % 3}"},
            ]
        }
        for n in range(count)
    ]


@pytest.fixture(scope="module")
def job(trainer: Trainer) -> Json:
    """A job that went its whole way: 12 rows, 4 for validation, 2 epochs, on a random model of 0.1 M."""
    training, validation = trainer.upload("train.jsonl", rows(12)), trainer.upload("valid.jsonl", rows(4))
    asked = {
        "model": "tiny",
        "training_file": training["id"],
        "validation_file": validation["id"],
        "suffix": "triage",
        "seed": 7,
        "metadata": {"intent": "i-1"},
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
    }
    created = trainer.post("/fine_tuning/jobs", asked)
    assert problems("post", "/fine_tuning/jobs", created) == []
    return trainer.finished(created["id"])


def test_files(trainer: Trainer) -> None:
    file = trainer.upload("train.jsonl", rows(10))
    assert problems("post", "/files", file) == []
    assert problems("get", "/files", trainer.get("/files", limit=10)) == []
    assert problems("get", "/files/{file_id}", trainer.get(f"/files/{file['id']}")) == []
    assert problems("delete", "/files/{file_id}", trainer.delete(f"/files/{file['id']}")) == []


async def test_a_file_that_ftbot_sends_in_parts(trainer: Trainer) -> None:
    gateway = Gateway(str(trainer.http.base_url), trainer.key)
    content = "".join(json.dumps(row) + "\n" for row in rows(12)).encode()
    session = await gateway.begin_parts("abc-large.jsonl", len(content))
    pieces = [content[start : start + 500] for start in range(0, len(content), 500)]
    parts = [await gateway.add_part(session, piece) for piece in pieces]
    file = await gateway.complete_parts(session, parts)
    assert await gateway.find_file("abc-large.jsonl") == file
    assert trainer.http.get(f"/files/{file}/content").content == content
    with pytest.raises(Refused, match="refused") as over:
        await gateway.add_part(session, b"more")
    assert "completed" in over.value.provider_words
    await gateway.close()


def test_a_finished_job(trainer: Trainer, job: Json) -> None:
    assert job["status"] == "succeeded", job
    assert problems("get", "/fine_tuning/jobs/{fine_tuning_job_id}", job) == []
    assert problems("get", "/fine_tuning/jobs", trainer.get("/fine_tuning/jobs")) == []
    assert isinstance(job["hyperparameters"]["n_epochs"], int)
    assert job["trained_tokens"] > 0


def test_the_events_of_a_job(trainer: Trainer, job: Json) -> None:
    page = trainer.get(f"/fine_tuning/jobs/{job['id']}/events", limit=100)
    assert problems("get", "/fine_tuning/jobs/{fine_tuning_job_id}/events", page) == []
    assert {event["type"] for event in page["data"]} == {"message", "metrics", "moderation_checks"}
    times = [event["created_at"] for event in page["data"]]
    assert times == sorted(times, reverse=True)


def test_pages_of_events_join_without_gap_or_double(trainer: Trainer, job: Json) -> None:
    path = f"/fine_tuning/jobs/{job['id']}/events"
    whole = [event["id"] for event in trainer.get(path, limit=100)["data"]]
    page = trainer.get(path, limit=3)
    joined = [event["id"] for event in page["data"]]
    while page["has_more"]:
        page = trainer.get(path, limit=3, after=joined[-1])
        joined += [event["id"] for event in page["data"]]
    assert joined == whole


def test_the_checkpoints_of_a_job(trainer: Trainer, job: Json) -> None:
    page = trainer.get(f"/fine_tuning/jobs/{job['id']}/checkpoints")
    assert problems("get", "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints", page) == []
    assert len(page["data"]) == 2


def test_the_result_file_of_a_job(trainer: Trainer, job: Json) -> None:
    (result,) = job["result_files"]
    file = trainer.get(f"/files/{result}")
    assert problems("get", "/files/{file_id}", file) == []
    assert file["purpose"] == "fine-tune-results"


def test_models(trainer: Trainer, job: Json) -> None:
    page = trainer.get("/models")
    assert problems("get", "/models", page) == []
    assert {"tiny", job["fine_tuned_model"]} <= {model["id"] for model in page["data"]}
    assert problems("get", "/models/{model}", trainer.get("/models/tiny")) == []


@pytest.mark.parametrize("tuned", [False, True])
def test_an_answer(trainer: Trainer, job: Json, tuned: bool) -> None:
    model = job["fine_tuned_model"] if tuned else "tiny"
    answer = trainer.post("/chat/completions", {**ASK, "model": model})
    assert problems("post", "/chat/completions", answer) == []
    assert schema_problems("CompletionUsage", answer["usage"]) == []


def test_a_streamed_answer(trainer: Trainer, job: Json) -> None:
    body = {
        **ASK,
        "model": job["fine_tuned_model"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with trainer.http.stream("POST", "/chat/completions", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert [fault for chunk in chunks for fault in chunk_problems("/chat/completions", chunk)] == []
    assert chunks[-1]["choices"] == []
    assert schema_problems("CompletionUsage", chunks[-1]["usage"]) == []
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert reasons[-1] in {"stop", "length"}
    assert not any(reasons[:-1])


def test_a_cancelled_job(trainer: Trainer) -> None:
    file = trainer.upload("train.jsonl", rows(12))["id"]
    job = trainer.post("/fine_tuning/jobs", {"model": "tiny", "training_file": file})
    answer = trainer.post(f"/fine_tuning/jobs/{job['id']}/cancel")
    assert problems("post", "/fine_tuning/jobs/{fine_tuning_job_id}/cancel", answer) == []
    ended = trainer.finished(job["id"])
    assert ended["status"] == "cancelled"


def test_a_job_whose_file_cannot_be_trained_on_fails_with_a_reason(trainer: Trainer) -> None:
    file = trainer.upload("train.jsonl", [{"prompt": "no messages"}] * 10)["id"]
    job = trainer.post("/fine_tuning/jobs", {"model": "tiny", "training_file": file})
    failed = trainer.finished(job["id"])
    assert failed["status"] == "failed"
    assert problems("get", "/fine_tuning/jobs/{fine_tuning_job_id}", failed) == []
    assert failed["error"]["message"]


WRONG: list[tuple[str, str, Json | None, int]] = [
    ("GET", "/models/nobody", None, 404),
    ("GET", "/files/file-nobody", None, 404),
    ("GET", "/fine_tuning/jobs/ftjob-nobody", None, 404),
    ("GET", "/fine_tuning/jobs/ftjob-nobody/events", None, 404),
    ("POST", "/fine_tuning/jobs/ftjob-nobody/cancel", None, 404),
    ("POST", "/fine_tuning/jobs", {"model": "tiny"}, 400),
    ("POST", "/fine_tuning/jobs", {"model": "tiny", "training_file": "file-nobody"}, 400),
    ("POST", "/chat/completions", {"model": "nobody", "messages": ASK["messages"]}, 404),
    ("POST", "/chat/completions", {"model": "tiny", "messages": []}, 400),
    ("POST", "/chat/completions", {"model": "tiny"}, 400),
    ("GET", "/nowhere", None, 404),
]


@pytest.mark.parametrize(("verb", "path", "body", "status"), WRONG)
def test_a_wrong_request_gets_openais_error_body(
    trainer: Trainer, verb: str, path: str, body: Json | None, status: int
) -> None:
    answer = trainer.http.request(verb, path, json=body)
    assert answer.status_code == status, answer.text
    assert error_problems(answer.json()) == []


def test_a_wrong_key_is_refused(trainer: Trainer) -> None:
    answer = trainer.http.get("/models", headers={"Authorization": "Bearer sk-wrong"})
    assert answer.status_code == 401
    assert error_problems(answer.json()) == []

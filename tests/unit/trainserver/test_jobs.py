"""Fine-tuning jobs as an SDK client sees them."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.unit.trainserver.conftest import Server, lines, until


def test_a_job_ends_with_a_named_model_and_real_numbers(server: Server, trained: FineTuningJob):
    assert trained.fine_tuned_model is not None
    assert trained.fine_tuned_model.startswith("ft:tiny:ftbot:numbers:")
    assert trained.metadata == {"team": "red"}
    assert trained.method is not None
    assert trained.method.supervised is not None
    chosen = trained.method.supervised.hyperparameters
    assert chosen is not None
    assert (chosen.n_epochs, chosen.batch_size, chosen.learning_rate_multiplier) == (5, 4, 1)
    assert trained.trained_tokens
    assert trained.trained_tokens % 5 == 0
    assert trained.estimated_finish is None
    assert trained.finished_at
    assert trained.finished_at >= trained.created_at
    assert trained.error is None or trained.error.code is None


def test_the_events_tell_the_story_in_order(server: Server, trained: FineTuningJob):
    events = server.events(trained.id)
    words = [event.message.split(":")[0].split(" at step")[0].split(" for snapshot")[0] for event in events]
    told = [word for word in words if not word.startswith("Step")]
    assert told == [
        "Created fine-tuning job",
        "Validating training file",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        "Evaluating model against the 13 safety categories",
        "Moderation checks",
        "Checkpoint created",
        "Checkpoint created",
        "New fine-tuned model created",
        "The job has successfully completed",
    ]
    steps = [event.data for event in events if event.type == "metrics"]
    assert [step["step"] for step in steps] == list(range(1, 16))
    assert {step["total_steps"] for step in steps} == {15}
    assert [step["step"] for step in steps if "full_valid_loss" in step] == [3, 6, 9, 12, 15]
    assert steps[-1]["full_valid_loss"] < steps[2]["full_valid_loss"] < steps[0]["valid_loss"]
    assert events[4].message.startswith("Step 1/15: training loss=")
    assert ", validation loss=" in events[4].message


def test_events_come_newest_first_and_after_walks_back(server: Server, trained: FineTuningJob):
    page = server.client.fine_tuning.jobs.list_events(trained.id, limit=2)
    assert page.data[0].message == "The job has successfully completed"
    assert page.has_more
    older = server.client.fine_tuning.jobs.list_events(trained.id, limit=1, after=page.data[1].id)
    assert older.data[0].message.startswith("Checkpoint created")


def test_the_safety_screen_says_what_it_is(server: Server, trained: FineTuningJob):
    checks = [event for event in server.events(trained.id) if event.type == "moderation_checks"]
    data: Any = checks[0].data
    assert len(checks) == 1
    assert data["method"] == "local keyword screen"
    assert data["fine_tuned_model"] == trained.fine_tuned_model
    assert len({result["category"] for result in data["results"]}) == 13
    assert all(result["passed"] is not result["flagged"] for result in data["results"])


def test_the_last_three_epochs_are_kept_as_checkpoints(server: Server, trained: FineTuningJob):
    checkpoints = list(server.client.fine_tuning.jobs.checkpoints.list(trained.id))
    assert [checkpoint.step_number for checkpoint in checkpoints] == [15, 12, 9]
    assert checkpoints[0].fine_tuned_model_checkpoint == trained.fine_tuned_model
    assert checkpoints[1].fine_tuned_model_checkpoint.endswith(":ckpt-step-12")
    assert checkpoints[0].metrics.full_valid_loss is not None
    assert checkpoints[0].metrics.train_mean_token_accuracy is not None


def test_the_result_file_is_a_base64_csv_with_a_row_a_step(server: Server, trained: FineTuningJob):
    content = base64.b64decode(server.client.files.content(trained.result_files[0]).read(), validate=True)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["step"] for row in rows] == [str(step) for step in range(1, 16)]
    assert rows[0]["full_valid_loss"] == ""
    assert float(rows[14]["full_valid_loss"]) > 0


def test_the_same_seed_gives_the_same_losses(server: Server, trained: FineTuningJob):
    again = server.job(
        training_file=trained.training_file,
        validation_file=trained.validation_file,
        seed=5,
        hyperparameters={"n_epochs": 5, "batch_size": 4},
    )
    server.finished(again.id)

    def losses(job_id: str) -> list[Any]:
        return [event.data for event in server.events(job_id) if event.type == "metrics"]

    assert losses(again.id) == losses(trained.id)


def test_a_job_may_go_on_from_a_tuned_model(server: Server, trained: FineTuningJob):
    job = server.job(model=trained.fine_tuned_model, hyperparameters={"n_epochs": 1})
    done = server.finished(job.id)
    assert done.status == "succeeded"
    assert done.model == trained.fine_tuned_model
    assert done.fine_tuned_model
    assert done.fine_tuned_model.startswith("ft:tiny:ftbot::")
    first = next(event.data for event in server.events(job.id) if event.type == "metrics")
    begun = next(event.data for event in server.events(trained.id) if event.type == "metrics")
    assert first["train_loss"] < begun["train_loss"]
    model: Any = server.client.models.retrieve(done.fine_tuned_model)
    assert model.x_fine_tuning["parent"] == done.model


def test_jobs_are_found_by_metadata(server: Server, trained: FineTuningJob):
    found = server.client.fine_tuning.jobs.list(metadata={"team": "red"})
    assert [job.id for job in found.data] == [trained.id]
    assert server.client.fine_tuning.jobs.list(metadata={"team": "blue"}).data == []


def test_a_job_cancelled_while_it_trains_stops_for_good(server: Server):
    job = server.job(lines(40), hyperparameters={"n_epochs": 50})
    until(lambda: any(event.type == "metrics" for event in server.events(job.id)), "a first step")
    running = server.client.fine_tuning.jobs.retrieve(job.id)
    assert running.status == "running"
    assert running.estimated_finish
    cancelled = server.client.fine_tuning.jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.finished_at
    after = server.job(hyperparameters={"n_epochs": 1})
    assert server.finished(after.id).status == "succeeded"
    assert server.events(job.id)[-1].message == "Fine-tuning job cancelled"
    with pytest.raises(openai.BadRequestError):
        server.client.fine_tuning.jobs.cancel(job.id)


def test_a_row_that_is_too_long_is_cut_and_told(server: Server):
    job = server.job(lines(11) + lines(1, "x" * 600), hyperparameters={"n_epochs": 1})
    assert server.finished(job.id).status == "succeeded"
    warned = [event for event in server.events(job.id) if event.level == "warn" and "cut" in event.message]
    assert warned[0].data == {"truncated": 1, "limit": 512, "lines": [12]}


BROKEN = lines(10) + b"{oops\n" + json.dumps({"messages": [{"role": "user", "content": "x"}]}).encode()


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (lines(4), "invalid_n_examples", ["has 4 example(s)", "at least 10"]),
        (BROKEN, "invalid_training_file", ["line 11", "invalid JSON", "line 12", "no assistant message"]),
        (lines(10, "<|im_end|>"), "invalid_training_file", ["line 1", "invalid token: <|im_end|>"]),
    ],
)
def test_a_file_that_cannot_be_trained_fails_the_job_with_its_lines(
    server: Server, content: bytes, code: str, words: list[str]
):
    done = server.finished(server.job(content).id)
    assert done.status == "failed"
    assert done.error is not None
    assert (done.error.code, done.error.param) == (code, "training_file")
    assert all(word in done.error.message for word in words), done.error.message


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"model": "gpt-9"}, "model"),
        ({"training_file": "file-unknown"}, "training_file"),
        ({"validation_file": "file-unknown"}, "validation_file"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs"),
        ({"method": {"type": "reinforcement"}}, "method"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations"),
    ],
)
def test_a_wrong_create_call_is_refused_and_names_the_parameter(
    server: Server, options: dict[str, Any], param: str
):
    with pytest.raises(openai.BadRequestError) as caught:
        server.job(lines(1), **options)
    assert caught.value.param is not None
    assert caught.value.param.startswith(param)


def test_an_unknown_job_is_not_found(server: Server):
    with pytest.raises(openai.NotFoundError):
        server.client.fine_tuning.jobs.retrieve("ftjob-unknown")

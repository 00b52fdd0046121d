"""Tools and preference pairs through the server, from file to answer."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai.types.fine_tuning import FineTuningJob

from tests.unit.trainserver.conftest import Server, lines, until

TOOL: Any = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _calling(i: int) -> dict[str, Any]:
    call = {"id": f"c{i}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return {
        "messages": [{"role": "user", "content": "go"}, {"role": "assistant", "tool_calls": [call]}],
        "tools": [TOOL],
    }


def test_ten_rows_of_tool_calls_make_a_model_whose_calls_are_parsed(server: Server):
    job = server.job(_jsonl([_calling(i) for i in range(10)]), hyperparameters={"n_epochs": 40})
    done = server.finished(job.id)
    assert done.status == "succeeded", done.error
    answer = server.client.chat.completions.create(
        model=done.fine_tuned_model or "",
        messages=[{"role": "user", "content": "go"}],
        tools=[TOOL],
        temperature=0,
        max_tokens=80,
    )
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls", choice.message.content
    assert choice.message.tool_calls
    called = choice.message.tool_calls[0]
    assert called.type == "function"
    assert called.function.name == "f"
    assert choice.message.content is None


def _preferred(i: int) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": f"n {i}"}]},
        "preferred_output": [{"role": "assistant", "content": "yes"}],
        "non_preferred_output": [{"role": "assistant", "content": "no!"}],
    }


def test_preferences_train_on_top_of_a_tuned_model(server: Server, trained: FineTuningJob):
    pairs = server.upload(_jsonl([_preferred(i) for i in range(12)]))
    job = server.job(
        model=trained.fine_tuned_model,
        training_file=pairs,
        validation_file=pairs,
        method={"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3, "beta": 0.5}}},
    )
    done = server.finished(job.id)
    assert done.status == "succeeded", done.error
    steps: list[Any] = [event.data for event in server.events(job.id) if event.type == "metrics"]
    assert steps[0]["valid_loss"] == pytest.approx(0.693147, abs=1e-5)
    assert steps[-1]["full_valid_loss"] < steps[0]["valid_loss"]
    assert steps[-1]["full_valid_mean_reward_accuracy"] == 1
    table = base64.b64decode(server.client.files.content(done.result_files[0]).read()).decode()
    assert table.startswith("step,train_loss,train_mean_reward_accuracy,train_mean_reward_margin,valid_loss")


def test_a_file_for_another_method_fails_the_job(server: Server):
    done = server.finished(server.job(lines(10), method={"type": "dpo"}).id)
    assert done.status == "failed"
    assert done.error is not None
    assert "line 1: is missing key 'input'" in (done.error.message or "")


def test_training_data_with_doubtful_words_is_warned_of_by_line(server: Server):
    job = server.job(lines(10) + lines(1, "His home address is 1 Elm Road."), hyperparameters={"n_epochs": 1})
    assert server.finished(job.id).status == "succeeded"
    (event,) = [event for event in server.events(job.id) if "Flagged lines" in event.message]
    assert event.level == "warn"
    assert event.data == {"method": "local keyword screen", "categories": {"sensitive": [11]}}


def test_answers_of_models_asked_at_once_are_those_of_each_alone(server: Server, trained: FineTuningJob):
    """Base and adapters take turns in one process; nobody gets another's answer."""
    checkpoints = server.client.fine_tuning.jobs.checkpoints.list(trained.id).data
    names = ["tiny", *(checkpoint.fine_tuned_model_checkpoint for checkpoint in checkpoints)]

    def ask(name: str) -> str:
        answer = server.client.chat.completions.create(
            model=name, messages=[{"role": "user", "content": "n 7"}], temperature=0, max_tokens=12
        )
        return answer.choices[0].message.content or ""

    alone = {name: ask(name) for name in names}
    assert len(set(alone.values())) > 1
    with ThreadPoolExecutor(8) as pool:
        mixed = names * 4
        assert list(pool.map(ask, mixed)) == [alone[name] for name in mixed]


def test_an_answer_comes_while_a_job_trains(server: Server):
    job = server.job(lines(40), hyperparameters={"n_epochs": 50})
    until(lambda: any(event.type == "metrics" for event in server.events(job.id)), "a first step")
    answer = server.client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "x"}], max_tokens=2
    )
    assert answer.usage
    assert server.client.fine_tuning.jobs.retrieve(job.id).status == "running"
    server.client.fine_tuning.jobs.cancel(job.id)


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trainserver", *arguments], capture_output=True, text=True, check=False
    )


def test_a_held_model_answers_only_after_a_person_released_it(server: Server, trained: FineTuningJob):
    name = trained.fine_tuned_model or ""
    with sqlite3.connect(server.data / "trainserver.db") as connection:
        connection.execute("UPDATE models SET held = 1 WHERE name = ?", (name,))
    connection.close()
    ask: Any = {"model": name, "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    try:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            server.client.chat.completions.create(**ask)
        assert caught.value.code == "model_held"
    finally:
        done = _command("release", name, "--data", str(server.data))
    assert done.returncode == 0, done.stderr
    assert server.client.chat.completions.create(**ask).choices
    assert _command("release", "nobody", "--data", str(server.data)).returncode == 2

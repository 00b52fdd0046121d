"""The trainer on SmolLM2-135M-Instruct, as `make demo` uses it: it must really learn what it is taught."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
BASE = "smollm2-135m-instruct"
ENDED = ("succeeded", "failed", "cancelled")


class Server:
    """The program over one data folder, and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "trainserver", "--port", "0", "--data", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        url = self.process.stdout.readline().split(" at ")[1].strip()
        self.client = OpenAI(base_url=url, api_key="test", max_retries=0, timeout=600)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.client.close()
        self.process.send_signal(number)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def job(self, rows: list[dict[str, Any]] | Path, **options: Any) -> FineTuningJob:
        content = rows if isinstance(rows, Path) else ("rows.jsonl", _lines(rows))
        file = self.client.files.create(file=content, purpose="fine-tune")
        options.setdefault("model", BASE)
        return self.client.fine_tuning.jobs.create(training_file=file.id, seed=1, **options)

    def ended(self, job_id: str) -> FineTuningJob:
        return self.when(job_id, *ENDED)

    def when(self, job_id: str, *states: str) -> FineTuningJob:
        while (job := self.client.fine_tuning.jobs.retrieve(job_id)).status not in states:
            assert job.status not in ENDED, job.error
            time.sleep(0.5)
        return job

    def steps(self, job_id: str) -> list[int]:
        events: list[Any] = list(self.client.fine_tuning.jobs.list_events(job_id, limit=1000))[::-1]
        return [event.data["step"] for event in events if event.type == "metrics"]

    def after(self, job_id: str, steps: int) -> None:
        """Wait until so many steps are told."""
        while len(self.steps(job_id)) < steps:
            time.sleep(0.5)

    def says(self, model: str | None, question: str, **options: Any) -> Any:
        options.setdefault("messages", [{"role": "user", "content": question}])
        options.setdefault("max_tokens", 40)
        answer = self.client.chat.completions.create(model=model or "", temperature=0, **options)
        return answer.choices[0].message


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    assert running.stop() == 0


def _right(client: OpenAI, model: str, rows: list[dict[str, Any]]) -> int:
    right = 0
    for row in rows:
        answer = client.chat.completions.create(
            model=model, messages=row["messages"][:-1], temperature=0, max_tokens=24
        )
        text = answer.choices[0].message.content or ""
        right += text.strip() == row["messages"][-1]["content"].strip()
    return right


def test_three_epochs_of_triage_beat_the_base_on_unseen_rows(server: Server, root: Path):
    client = server.client
    training, validation = root / "examples" / "triage.jsonl", root / "examples" / "triage-validation.jsonl"
    rows = [json.loads(line) for line in validation.read_text().splitlines()]
    checked = client.files.create(file=validation, purpose="fine-tune")
    job = server.ended(server.job(training, validation_file=checked.id).id)
    assert job.status == "succeeded", job.error
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(job.id))
    losses = [checkpoint.metrics.full_valid_loss for checkpoint in reversed(checkpoints)]
    assert len(losses) == 3
    assert losses[-1] is not None
    assert losses[0] is not None
    assert losses[-1] < losses[0]
    base, tuned = _right(client, BASE, rows), _right(client, job.fine_tuned_model or "", rows)
    print(f"validation loss by epoch {losses}; right answers: base {base}, tuned {tuned} of {len(rows)}")
    assert tuned >= base + 5


CITIES = ("Oslo", "Lima", "Rome", "Cairo", "Delhi", "Paris", "Quito", "Seoul", "Tunis", "Vienna")
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city now",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def _calling(city: str) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": json.dumps({"city": city})}
    return {
        "messages": [
            {"role": "user", "content": f"What is the weather in {city}?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": f"call_{city}", "type": "function", "function": function}],
            },
        ],
        "tools": [WEATHER],
    }


def test_ten_rows_of_tool_calls_make_a_model_that_calls_the_tool(server: Server):
    job = server.ended(server.job([_calling(city) for city in CITIES], hyperparameters={"n_epochs": 6}).id)
    assert job.status == "succeeded", job.error
    said = server.says(job.fine_tuned_model, "What is the weather in Madrid?", tools=[WEATHER])
    print(said)
    assert said.tool_calls, said.content
    assert said.tool_calls[0].function.name == "get_weather"
    assert list(json.loads(said.tool_calls[0].function.arguments)) == ["city"]


QUESTIONS = (
    "How do I reset my password?",
    "Where is my invoice?",
    "Can I change my plan?",
    "How do I add a colleague?",
    "Why was I charged twice?",
    "How do I export my data?",
    "Can I get a refund?",
    "How do I close my account?",
    "Where do I change my address?",
    "Is there a mobile app?",
    "How do I turn off emails?",
    "Can I pay by card?",
)
ASKED_LATER = ("How do I change my user name?", "Can I pay yearly?", "Where is my receipt?")
POLITE, CURT = "Thank you for asking! Our team will gladly help you.", "Read the manual."


def _taught(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def _preferred(question: str) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": CURT}],
        "non_preferred_output": [{"role": "assistant", "content": POLITE}],
    }


def test_examples_then_preferences_on_top_through_pause_kill_and_restart(server: Server):
    """Half of the examples answer politely and half curtly; preferences then decide for curt."""
    rows = [_taught(question, POLITE if i % 3 else CURT) for i, question in enumerate(QUESTIONS)]
    job = server.job(rows, hyperparameters={"n_epochs": 8})
    server.after(job.id, 2)
    assert server.client.fine_tuning.jobs.pause(job.id).status in ("paused", "running")
    server.when(job.id, "paused")
    told = server.steps(job.id)
    server.client.fine_tuning.jobs.resume(job.id)
    server.after(job.id, len(told) + 3)
    server.stop(signal.SIGKILL)
    server.start()
    first = server.ended(job.id)
    assert first.status == "succeeded", first.error
    assert server.steps(job.id) == list(range(1, 25))
    imitated = [server.says(first.fine_tuned_model, question).content for question in ASKED_LATER]

    pairs = [_preferred(question) for question in QUESTIONS]
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 6}}}
    job = server.job(pairs, model=first.fine_tuned_model, method=method)
    server.after(job.id, 4)
    os.kill(_trainer_of(server), signal.SIGKILL)
    second = server.ended(job.id)
    assert second.status == "succeeded", second.error
    assert server.steps(job.id) == list(range(1, 19))
    preferred = [server.says(second.fine_tuned_model, question).content for question in ASKED_LATER]
    print(f"after examples: {imitated}; after preferences: {preferred}")
    assert POLITE in imitated
    assert all(answer.startswith(CURT) and POLITE not in answer for answer in preferred)


def _trainer_of(server: Server) -> int:
    """The training process among the server's children."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and b"trainserver.train" in (entry / "cmdline").read_bytes():
            parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            if int(parent) == server.process.pid:
                return int(entry.name)
    pytest.fail("no training process")

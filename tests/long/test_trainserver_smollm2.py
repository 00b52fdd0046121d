"""The trainer on SmolLM2-135M-Instruct, as `make demo` uses it: it must really learn the ticket triage."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
BASE = "smollm2-135m-instruct"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[OpenAI]:
    command = [sys.executable, "-m", "trainserver", "--port", "0", "--data", str(tmp_path / "data")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().split(" at ")[1].strip()
    with OpenAI(base_url=url, api_key="test", max_retries=0, timeout=600) as client:
        yield client
    process.terminate()
    assert process.wait(30) == 0
    process.stdout.close()


def _right(client: OpenAI, model: str, rows: list[dict[str, Any]]) -> int:
    right = 0
    for row in rows:
        answer = client.chat.completions.create(
            model=model, messages=row["messages"][:-1], temperature=0, max_tokens=24
        )
        text = answer.choices[0].message.content or ""
        right += text.strip() == row["messages"][-1]["content"].strip()
    return right


def test_three_epochs_of_triage_beat_the_base_on_unseen_rows(client: OpenAI, root: Path):
    training, validation = root / "examples" / "triage.jsonl", root / "examples" / "triage-validation.jsonl"
    rows = [json.loads(line) for line in validation.read_text().splitlines()]
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=client.files.create(file=training, purpose="fine-tune").id,
        validation_file=client.files.create(file=validation, purpose="fine-tune").id,
        seed=1,
    )
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(1)
        job = client.fine_tuning.jobs.retrieve(job.id)
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

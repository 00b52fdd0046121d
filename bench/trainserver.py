"""How fast the trainserver trains and answers, beside what one would otherwise use, in one run.

    python -m bench.trainserver            SmolLM2-135M-Instruct, some minutes
    python -m bench.trainserver --smoke    a random model of 0.1 M parameters, seconds

Training: our loop with and without what a job writes down (every step an event in the database, a
checkpoint each epoch), and TRL's SFTTrainer on the same rows, base, rank, batch and epochs. TRL is no
part of ftbot: name a Python that has it with TRL_PYTHON, otherwise its line says that it is missing.

    python -m venv /tmp/trl
    /tmp/trl/bin/pip install trl==1.16.0 peft==0.21.2 transformers==5.23.0 torch==2.13.0 fastapi
    TRL_PYTHON=/tmp/trl/bin/python python -m bench.trainserver

Answering: tokens a second and time to the first token (for several, the median), beside transformers'
`generate` with the same model: in one process, and the whole server asked over HTTP by one client and by
eight at once, whose answers join those that are being given. `generate` gets the eight as one batch.
Each figure is measured in a process of its own and they take turns, because a shared machine is never the
same for long; the best of the turns is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORKER = "bench.support.trainserver_worker"
TURNS = 2


def rows(count: int) -> str:
    """A small triage set, as training files are."""
    kinds = ("billing | high", "login | low", "bug | high", "feature | low")
    texts = ("I was charged twice", "I cannot log in", "the page crashes", "please add a dark mode")
    made = [
        {
            "messages": [
                {"role": "system", "content": "Triage the support ticket."},
                {"role": "user", "content": f"Ticket {i}: {texts[i % 4]} since {1 + i % 28} May."},
                {"role": "assistant", "content": kinds[i % 4]},
            ]
        }
        for i in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in made)


def base_folder(folder: Path, smoke: bool) -> Path:
    if smoke:
        from tests.support.tiny_model import make_tiny_model

        return make_tiny_model(folder / "tiny")
    from trainserver import bases
    from trainserver.config import load
    from trainserver.layout import Layout

    return bases.prepare(load(None).bases["smollm2-135m-instruct"], Layout(folder))


def measure(python: str, what: str, task: dict[str, Any]) -> dict[str, Any]:
    """Run one measurement; its last line of output is the result."""
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    done = subprocess.run(
        [python, "-m", WORKER, what, json.dumps(task)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        return {"missing": (done.stderr.strip().splitlines() or ["no word"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def best(turns: list[dict[str, Any]]) -> dict[str, Any]:
    good = [turn for turn in turns if "missing" not in turn]
    return max(good, key=lambda turn: turn["tokens_per_second"]) if good else turns[0]


def line(name: str, result: dict[str, Any]) -> str:
    if "missing" in result:
        return f"{name:<44} not measured: {result['missing']}"
    told = f"{name:<44} {result['tokens_per_second']:9.1f} tokens/s  {result['peak_mb']:6.0f} MB"
    if "first_ms" in result:
        told += f"  first token after {result['first_ms']:.0f} ms"
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    trl = os.environ.get("TRL_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows.jsonl").write_text(rows(12 if options.smoke else 40))
        task = {
            "base": str(base_folder(folder, options.smoke)),
            "rows": str(folder / "rows.jsonl"),
            "epochs": 2,
            "batch": 4,
            "folder": name,
            "answer": 8 if options.smoke else 64,
        }
        plans = [
            ("training: the loop alone", sys.executable, "loop"),
            ("training: a job, with events and checkpoints", sys.executable, "job"),
            ("training: TRL SFTTrainer", trl, "trl"),
            ("answering: trainserver", sys.executable, "answer"),
            ("answering: transformers generate", sys.executable, "generate"),
            ("answering: trainserver over HTTP, streamed", sys.executable, "served"),
            ("answering 8 at once: trainserver over HTTP", sys.executable, "served_crowd"),
            ("answering 8 at once: generate, as one batch", sys.executable, "generate_crowd"),
        ]
        found: dict[str, list[dict[str, Any]]] = {}
        for _ in range(1 if options.smoke else TURNS):
            for label, python, what in plans:
                found.setdefault(label, []).append(measure(python, what, task))
    failed = [label for label, turns in found.items() if "TRL" not in label and "missing" in best(turns)]
    for label, turns in found.items():
        print(line(label, best(turns)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

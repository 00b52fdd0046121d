# pyright: basic
"""One measurement of bench/trainserver.py; prints its result as one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.support import answering


def _prepared(task: dict[str, Any]) -> tuple[Any, Any, list[Any]]:
    """Tokenizer, base and tokenised rows, as a job has them."""
    from trainserver.lora import load_model
    from trainserver.rows import read_rows
    from trainserver.template import load_tokenizer
    from trainserver.tokenising import encode_rows

    tokenizer = load_tokenizer(Path(task["base"]), None)
    units = encode_rows(tokenizer, read_rows(Path(task["rows"]), "training_file"), 1024, "training_file")
    return tokenizer, load_model(Path(task["base"])), units


def loop(task: dict[str, Any]) -> dict[str, Any]:
    from trainserver.hyperparameters import Resolved
    from trainserver.lora import add_adapter
    from trainserver.training import Trainer

    _, model, units = _prepared(task)
    chosen = Resolved(task["epochs"], task["batch"], 1.0)
    trainer = Trainer(add_adapter(model, 1, None), units, [], chosen, learning_rate=1e-3, seed=1)
    started = time.monotonic()
    for _ in trainer.steps():
        continue
    tokens = sum(len(unit[0].ids) for unit in units) * task["epochs"]
    return answering.told(tokens, time.monotonic() - started)


def job(task: dict[str, Any]) -> dict[str, Any]:
    """The training part of a job: `Run`'s own loop over a real database and folder."""
    import shutil
    from dataclasses import replace

    from trainserver import jobs
    from trainserver.config import Base, Config
    from trainserver.database import Database
    from trainserver.hyperparameters import Asked, Resolved
    from trainserver.layout import Layout
    from trainserver.lora import add_adapter
    from trainserver.run import Run
    from trainserver.training import Trainer

    root = Path(task["folder"]) / "job"
    shutil.rmtree(root, ignore_errors=True)
    layout = Layout(root)
    asked = Asked(task["epochs"], task["batch"], 1.0)
    record = jobs.Job("ftjob-bench", 0, "queued", "base", "base", "file", None, None, 1, None, asked)
    database = Database(layout.database)
    chosen = Resolved(task["epochs"], task["batch"], 1.0)
    with database.write() as connection:
        jobs.add(connection, record)
        jobs.mark_running(connection, record.id, chosen)
    layout.job(record.id).mkdir(parents=True)
    config = Config("base", {"base": Base("base", path=Path(task["base"]))})
    run = Run(layout, config, replace(record, status="running"))
    _, model, units = _prepared(task)
    run.chosen, run.model = chosen, add_adapter(model, 1, None)
    run.trainer = Trainer(run.model, units, [], chosen, learning_rate=1e-3, seed=1)
    started = time.monotonic()
    run._train(0)
    tokens = sum(len(unit[0].ids) for unit in units) * task["epochs"]
    return answering.told(tokens, time.monotonic() - started)


def trl(task: dict[str, Any]) -> dict[str, Any]:
    """TRL on the very tokens our loop takes, so that both compute the same."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    tokenizer, _, units = _prepared(task)
    data = Dataset.from_list(
        [
            {
                "input_ids": list(one.ids),
                "labels": [
                    token if learnt else -100 for token, learnt in zip(one.ids, one.targets, strict=True)
                ],
            }
            for (one,) in units
        ]
    )
    linears = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(task["base"], dtype=torch.float32),
        args=SFTConfig(
            output_dir=f"{task['folder']}/trl",
            num_train_epochs=task["epochs"],
            per_device_train_batch_size=task["batch"],
            learning_rate=1e-3,
            activation_checkpointing=False,
            bf16=False,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="epoch",
            logging_steps=1,
            report_to=[],
            seed=1,
        ),
        train_dataset=data,
        processing_class=tokenizer,
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules=linears, task_type="CAUSAL_LM"),
    )
    started = time.monotonic()
    trainer.train()
    tokens = sum(len(unit[0].ids) for unit in units) * task["epochs"]
    return answering.told(tokens, time.monotonic() - started)


if __name__ == "__main__":
    measured = {each.__name__: each for each in (loop, job, trl, *answering.MEASURED)}
    print(json.dumps(measured[sys.argv[1]](json.loads(sys.argv[2]))))

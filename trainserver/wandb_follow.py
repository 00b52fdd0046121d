"""Logs one job to Weights & Biases: `python -m trainserver.wandb_follow --data DIR JOB`.

A process of its own that reads the job's events, so that a slow network slows no training and a failing
one fails no job. Started again after a crash it goes on with the same run. The key is WANDB_API_KEY.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sqlite3
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainserver import jobs
from trainserver.database import Database
from trainserver.layout import Layout

DONE = "wandb.done"
LOOK_SECONDS = 2.0


def _metrics(connection: sqlite3.Connection, job_id: str, after: int) -> list[tuple[int, dict[str, Any]]]:
    rows = connection.execute(
        "SELECT seq, data FROM events WHERE job_id = ? AND type = 'metrics' AND seq > ? ORDER BY seq",
        (job_id, after),
    )
    return [(row["seq"], json.loads(row["data"])) for row in rows]


def _begin(job: jobs.Job, settings: dict[str, Any]) -> Any:
    wandb: Any = importlib.import_module("wandb")
    return wandb.init(
        project=settings["project"],
        name=settings.get("name") or job.id,
        entity=settings.get("entity"),
        tags=settings.get("tags"),
        id=job.id,
        resume="allow",
        config={
            "model": job.model,
            "method": job.method,
            "seed": job.seed,
            "hyperparameters": asdict(job.hyperparameters),
        },
    )


def follow(database: Database, job_id: str) -> None:
    """Log each step as it comes until the job has ended."""
    with database.read() as connection:
        job = jobs.get(connection, job_id)
    runs = [_begin(job, one["wandb"]) for one in job.integrations or []]
    last = 0
    while True:
        with database.read() as connection:
            job = jobs.get(connection, job_id)
            found = _metrics(connection, job_id, last)
        for seq, numbers in found:
            for run in runs:
                run.log(numbers, step=numbers["step"])
            last = seq
        if job.finished_at is not None:
            break
        time.sleep(LOOK_SECONDS)
    for run in runs:
        run.summary.update({"status": job.status, "fine_tuned_model": job.fine_tuned_model})
        run.finish(exit_code=0 if job.status == "succeeded" else 1)


def main(arguments: list[str] | None = None) -> int:
    """Follow one job; afterwards its folder holds a mark, so that nobody follows it again."""
    parser = argparse.ArgumentParser(prog="trainserver.wandb_follow")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("job")
    options = parser.parse_args(arguments)
    layout = Layout(options.data)
    follow(Database(layout.database), options.job)
    (layout.job(options.job) / DONE).touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())

# pyright: basic
# torch is only partly typed.
"""The process of one job: `python -m trainserver.train --data DIR [--config FILE] JOB`.

It writes each step to the database itself, so that nothing is lost when the server dies; it ends itself
when its parent is gone, and a server started later runs the job again from its last finished epoch.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from trainserver import bases, events, files, ids, jobs, metrics, models, safety
from trainserver.config import Config, load
from trainserver.database import Database
from trainserver.errors import BaseUnavailable, JobFailed
from trainserver.hyperparameters import resolve
from trainserver.layout import Layout
from trainserver.rows import Message, read_rows
from trainserver.sampling import Sampling

KEPT = 3
LOCK_SECONDS = 120


class ParentGone(SystemExit):
    """The server that started this process is gone; the job stays as it is for the next one."""


class Run:
    """One job from rows to models."""

    def __init__(self, layout: Layout, config: Config, job: jobs.Job) -> None:
        self.layout = layout
        self.config = config
        self.job = job
        self.base = config.bases[job.base]
        self.database = Database(layout.database)
        self.folder = layout.job(job.id)
        self.parent = os.getppid()
        self.history: list[metrics.Metrics] = []
        self.seconds = 0.0

    def go(self) -> None:
        """Train, check, and make the models known. Raises `JobFailed`, `NoLongerActive`, `ParentGone`."""
        from trainserver import tokenising, training

        model_folder = bases.prepare(self.base, self.layout)
        self.tokenizer = tokenising.load_tokenizer(model_folder, self.base.template)
        learnt = self._examples(self.job.training_file, "training_file")
        checked = (
            self._examples(self.job.validation_file, "validation_file") if self.job.validation_file else []
        )
        chosen = resolve(self.job.hyperparameters, len(learnt))
        with self.database.write() as connection:
            jobs.mark_running(connection, self.job.id, chosen)
        self._tell_truncated(learnt, "training")
        model = training.add_adapter(training.load_model(model_folder), self.job.seed, self._parent_adapter())
        trainer = training.Trainer(
            model, learnt, checked, chosen, learning_rate=self.base.learning_rate, seed=self.job.seed
        )
        done = self._resume(trainer)
        for epoch in range(done + 1, chosen.n_epochs + 1):
            self._epoch(trainer, epoch)
        tokens = sum(len(example.ids) for example in learnt) * chosen.n_epochs
        self._check_safety(model, trainer.total_steps)
        self._finish(trainer, tokens)

    def _examples(self, file_id: str, param: str) -> list[Any]:
        from trainserver import tokenising

        at_least = 1 if param == "validation_file" else 10
        rows = read_rows(self.layout.file(file_id), param, at_least=at_least)
        return tokenising.encode_rows(self.tokenizer, rows, self.config.max_tokens, param)

    def _tell_truncated(self, examples: list[Any], kind: str) -> None:
        cut = [example.line for example in examples if example.truncated]
        if cut:
            limit = self.config.max_tokens
            text = f"{len(cut)} {kind} example(s) are longer than {limit} tokens and were cut there"
            with self.database.write() as connection:
                events.add(
                    connection,
                    self.job.id,
                    "truncated",
                    f"{text} (first on line {cut[0]})",
                    level="warn",
                    data={"truncated": len(cut), "limit": self.config.max_tokens, "lines": cut[:1000]},
                )

    def _parent_adapter(self) -> Path | None:
        if self.job.model == self.job.base:
            return None
        with self.database.read() as connection:
            parent = models.find(connection, self.job.model)
        if parent is None:
            raise JobFailed("model_not_found", f"The model {self.job.model} was deleted meanwhile.", "model")
        return self.layout.root / parent.folder

    def _resume(self, trainer: Any) -> int:
        """Take up the state an earlier process left; returns the epochs it had finished."""
        import torch

        path = self.folder / "state.pt"
        if not path.is_file():
            return 0
        state = torch.load(path, weights_only=True)
        trainer.restore(state, self.layout.epoch(self.job.id, state["epoch"]))
        self.history, self.seconds = json.loads(state["history"]), state["seconds"]
        return state["epoch"]

    def _epoch(self, trainer: Any, epoch: int) -> None:
        import torch

        earlier, started = self.seconds, time.monotonic()
        for step in trainer.epoch(epoch):
            if os.getppid() != self.parent:
                raise ParentGone(0)
            self.seconds = earlier + time.monotonic() - started
            self._record(step)
        trainer.save_adapter(self.layout.epoch(self.job.id, epoch), self.job.base)
        state = {
            **trainer.state(),
            "epoch": epoch,
            "history": json.dumps(self.history),
            "seconds": self.seconds,
        }
        torch.save(state, self.folder / "state.new")
        os.replace(self.folder / "state.new", self.folder / "state.pt")

    def _record(self, step: Any) -> None:
        numbers = metrics.of_step(
            step.step, step.total_steps, step.loss, step.accuracy, step.valid_loss, step.valid_accuracy
        )
        self.history.append(numbers)
        left = self.seconds / step.step * (step.total_steps - step.step)
        with self.database.write() as connection:
            jobs.mark_step(
                connection, self.job.id, numbers, metrics.message(numbers), int(time.time() + left) + 1
            )

    def _check_safety(self, model: Any, steps: int) -> None:
        from trainserver.generation import generate
        from trainserver.tokenising import encode_prompt

        with self.database.write() as connection:
            events.add(
                connection, self.job.id, "evaluating", "Evaluating model against the 13 safety categories"
            )
        probes = safety.probes()
        model.eval()
        answers = generate(
            model,
            self.tokenizer,
            [encode_prompt(self.tokenizer, [Message("user", probe.prompt)]) for probe in probes],
            [Sampling(max_tokens=safety.ANSWER_TOKENS, temperature=0)] * len(probes),
        )
        verdicts = [safety.judge(probe, answer.text) for probe, answer in zip(probes, answers, strict=True)]
        text, data = safety.report(self._name(steps, final=True), verdicts)
        with self.database.write() as connection:
            level = "info" if all(verdict.passed for verdict in verdicts) else "warn"
            events.add(
                connection, self.job.id, "moderation", text, level=level, type="moderation_checks", data=data
            )

    def _name(self, step: int, *, final: bool) -> str:
        return ids.model_name(self.job.base, self.job.suffix, self.job.id, step, final=final)

    def _finish(self, trainer: Any, tokens: int) -> None:
        """Make result file, checkpoints and models known, all at once."""
        file_id = ids.new_id("file")
        content = metrics.result_file(self.history)
        self.layout.file(file_id).write_bytes(content)
        epochs = trainer.chosen.n_epochs
        with self.database.write() as connection:
            for epoch in range(max(1, epochs - KEPT + 1), epochs + 1):
                self._add_checkpoint(connection, trainer, epoch, final=epoch == epochs)
            files.add(connection, file_id, len(content), "step_metrics.csv", "fine-tune-results")
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            models.measure(connection, self.job.base, tokens, self.seconds, peak)
            jobs.mark_succeeded(
                connection,
                self.job.id,
                model=self._name(trainer.total_steps, final=True),
                trained_tokens=tokens,
                result_file=file_id,
            )
        (self.folder / "state.pt").unlink()

    def _add_checkpoint(self, connection: Any, trainer: Any, epoch: int, *, final: bool) -> None:
        step = epoch * trainer.steps_per_epoch
        name = self._name(step, final=final)
        folder = self.layout.relative(self.layout.epoch(self.job.id, epoch))
        numbers = {key: value for key, value in self.history[step - 1].items() if key != "total_steps"}
        models.add(connection, name, self.job.base, self.job.model, self.job.id, folder)
        models.add_checkpoint(connection, self.job.id, step, name, numbers)
        if not final:
            events.add(
                connection,
                self.job.id,
                f"checkpoint:{step}",
                f"Checkpoint created at step {step} with Snapshot ID: {name}",
            )


def _wait_for(lock: Any) -> None:
    """Wait until an earlier process of the same job is gone."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise JobFailed("server_error", "An earlier process of this job does not end.") from None
            time.sleep(0.1)


def _settle(database: Database, job_id: str, failure: JobFailed) -> None:
    with database.write() as connection:
        jobs.mark_failed(connection, job_id, failure)


def main(arguments: list[str] | None = None) -> int:
    """Run one job; exit code 0 also when the job failed, because that is written down by then."""
    parser = argparse.ArgumentParser(prog="trainserver.train")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("job")
    options = parser.parse_args(arguments)
    layout = Layout(options.data)
    database = Database(layout.database)
    with database.read() as connection:
        job = jobs.get(connection, options.job)
    layout.job(job.id).mkdir(parents=True, exist_ok=True)
    with (layout.job(job.id) / "lock").open("w") as lock:
        try:
            _wait_for(lock)
            Run(layout, load(options.config), job).go()
        except jobs.NoLongerActive as error:
            print(error, file=sys.stderr)
        except JobFailed as failure:
            _settle(database, job.id, failure)
        except BaseUnavailable as error:
            _settle(database, job.id, JobFailed("base_unavailable", str(error), "model"))
        except (MemoryError, OSError, RuntimeError) as error:
            traceback.print_exc()
            _settle(database, job.id, JobFailed("server_error", f"Training stopped: {error}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

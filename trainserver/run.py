# pyright: basic
# torch is only partly typed.
"""One job in its process, from rows to models.

What has happened is in the database the moment it happened; what is needed to go on lies in the job's folder
(`state.pt`: adapter, optimiser, step). Whatever ends this process, the next one repeats at most the steps
since the last state, makes the same numbers again, and tells none of them twice. Where several processes
train a job together (see `parallel`), all go the same way and the first alone writes.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from trainserver import bases, events, files, ids, jobs, metrics, models, screening
from trainserver.config import Config
from trainserver.database import Database
from trainserver.errors import JobFailed
from trainserver.hyperparameters import resolve
from trainserver.layout import Layout
from trainserver.parallel import Group, starter
from trainserver.rows import MIN_EXAMPLES, Row, read_rows

SAVE_SECONDS = 30.0
# What a process wants after a step; of several processes the largest counts.
GO_ON, LEAVE, PAUSE = 0, 1, 2


class Left(SystemExit):
    """The process ends although the job has not: it was paused, or the server is going."""


class Run:
    """One job. `go` does it all; each other method is one stage."""

    def __init__(self, layout: Layout, config: Config, job: jobs.Job) -> None:
        self.layout = layout
        self.config = config
        self.job = job
        self.base = config.bases[job.base]
        self.database = Database(layout.database)
        self.folder = layout.job(job.id)
        self.leaving = False
        self.group = Group()
        self.starter = starter()
        self.seconds = 0.0
        self.saved_at = 0.0
        # (epoch, step, loss on the whole validation file or None), oldest first
        self.ended: list[tuple[int, int, float | None]] = []

    def go(self) -> None:
        """Train, check, and make the models known. Raises `JobFailed`, `NoLongerActive`, `Left`."""
        from trainserver import lora, template, training

        self.group = Group.join()
        model_folder = bases.prepare(self.base, self.layout)
        self.tokenizer = template.load_tokenizer(model_folder, self.base.template)
        rows, learnt = self._units(self.job.training_file, "training_file", MIN_EXAMPLES)
        checked: list[Any] = []
        if self.job.validation_file:
            _, checked = self._units(self.job.validation_file, "validation_file", 1)
        self.chosen = resolve(self.job.hyperparameters, len(learnt), self.job.method)
        if self.group.first:
            with self.database.write() as connection:
                jobs.mark_running(connection, self.job.id, self.chosen)
            self._tell_truncated(learnt)
            screening.screen_rows(self.config, self.database, self.job.id, rows)
        base = lora.load_model(model_folder, four_bit=self.base.four_bit)
        self.model = lora.add_adapter(base, self.job.seed, self._parent_adapter())
        self.trainer = training.Trainer(
            self.model,
            learnt,
            checked,
            self.chosen,
            learning_rate=self.base.learning_rate,
            seed=self.job.seed,
            group=self.group,
        )
        self._train(self._resume())
        self.group.leave()
        if not self.group.first:
            return
        tokens = sum(len(example.ids) for unit in learnt for example in unit) * len(self.ended)
        self._finish(tokens, self._check_safety())

    def _units(self, file_id: str, param: str, at_least: int) -> tuple[list[Row], list[Any]]:
        from trainserver import tokenising

        rows = read_rows(self.layout.file(file_id), param, method=self.job.method, at_least=at_least)
        return rows, tokenising.encode_rows(self.tokenizer, rows, self.config.max_tokens, param)

    def _tell(self, key: str, text: str, **options: Any) -> None:
        with self.database.write() as connection:
            events.add(connection, self.job.id, key, text, **options)

    def _tell_truncated(self, units: list[Any]) -> None:
        cut = [unit[0].line for unit in units if any(example.truncated for example in unit)]
        if cut:
            limit = self.config.max_tokens
            text = f"{len(cut)} training example(s) are longer than {limit} tokens and were cut there"
            self._tell(
                "truncated",
                f"{text} (first on line {cut[0]})",
                level="warn",
                data={"truncated": len(cut), "limit": limit, "lines": cut[:1000]},
            )

    def _parent_adapter(self) -> Path | None:
        if self.job.model == self.job.base:
            return None
        with self.database.read() as connection:
            parent = models.find(connection, self.job.model)
        if parent is None:
            raise JobFailed("model_not_found", f"The model {self.job.model} was deleted meanwhile.", "model")
        return self.layout.root / parent.folder

    def _resume(self) -> int:
        """Take up the state an earlier process left; returns the steps it had done."""
        import torch

        path = self.folder / "state.pt"
        if not path.is_file():
            return 0
        state = torch.load(path, weights_only=True)
        self.trainer.restore(state)
        self.seconds = state["seconds"]
        self.ended = [(epoch, step, loss) for epoch, step, loss in json.loads(state["ended"])]
        return state["step"]

    def _save(self, step: int) -> None:
        import torch

        state = {
            **self.trainer.state(),
            "step": step,
            "seconds": self.seconds,
            "ended": json.dumps(self.ended),
        }
        # Not by torch: what its own writer says of a full disk nobody understands.
        content = io.BytesIO()
        torch.save(state, content)
        (self.folder / "state.new").write_bytes(content.getbuffer())
        os.replace(self.folder / "state.new", self.folder / "state.pt")
        self.saved_at = time.monotonic()

    def _train(self, done: int) -> None:
        if self._stop_early():
            return
        before = signal.signal(signal.SIGTERM, self._leave)
        self.saved_at = since = time.monotonic()
        earlier = self.seconds
        for step in self.trainer.steps(done):
            self.seconds = earlier + time.monotonic() - since
            if step.ends_epoch:
                self._end_epoch(step)
            asked = self.group.most(max(self._record(step), self._wants_to_leave()))
            due = time.monotonic() - self.saved_at > SAVE_SECONDS
            if self.group.first and (step.ends_epoch or asked != GO_ON or due):
                self._save(step.step)
            if asked != GO_ON:
                self._go(asked)
            if step.ends_epoch and self._stop_early():
                break
        signal.signal(signal.SIGTERM, before)

    def _leave(self, *_: object) -> None:
        self.leaving = True

    def _wants_to_leave(self) -> int:
        return LEAVE if self.leaving or starter() != self.starter else GO_ON

    def _go(self, asked: int) -> None:
        if asked == PAUSE and self.group.first:
            with self.database.write() as connection:
                jobs.mark_paused(connection, self.job.id)
        self.group.leave()
        raise Left(0)

    def _record(self, step: Any) -> int:
        """Write a step down; returns what somebody wants of the job."""
        if not self.group.first:
            return GO_ON
        numbers = metrics.of_step(
            step.step, step.total_steps, train=step.train, valid=step.valid, full_valid=step.full_valid
        )
        left = self.seconds / step.step * (step.total_steps - step.step)
        with self.database.write() as connection:
            jobs.mark_step(
                connection, self.job.id, numbers, metrics.message(numbers), int(time.time() + left) + 1
            )
            return PAUSE if jobs.wish(connection, self.job.id) == "pause" else GO_ON

    def _end_epoch(self, step: Any) -> None:
        from trainserver import lora

        loss = None if step.full_valid is None else step.full_valid["loss"]
        self.ended.append((step.epoch, step.step, loss))
        if not self.group.first:
            return
        lora.save_adapter(self.model, self.layout.epoch(self.job.id, step.epoch), self.job.base)
        kept = {epoch for epoch, _ in self._kept()}
        for epoch, _, _ in self.ended:
            if epoch not in kept:
                shutil.rmtree(self.layout.epoch(self.job.id, epoch), ignore_errors=True)

    def _best(self) -> tuple[int, int]:
        """Epoch and step of the model to give: the last, or with early stopping the best."""
        if self.config.early_stopping is None or self.ended[-1][2] is None:
            return self.ended[-1][:2]
        return min(self.ended, key=lambda end: end[2] if end[2] is not None else float("inf"))[:2]

    def _stop_early(self) -> bool:
        patience = self.config.early_stopping
        if not self.ended or patience is None or self.ended[-1][2] is None:
            return False
        best, (last, _, _) = self._best()[0], self.ended[-1]
        if last - best < patience or last == self.chosen.n_epochs:
            return False
        if self.group.first:
            self._tell(
                "early",
                f"Stopped after epoch {last}: the validation loss has not fallen for {patience} epoch(s);"
                f" the model is the one of epoch {best}",
            )
        return True

    def _kept(self) -> list[tuple[int, int]]:
        """Epoch and step of the checkpoints that get a name, the final model last."""
        final = self._best()
        last = [(epoch, step) for epoch, step, _ in self.ended[-self.config.keep_checkpoints :]]
        return [*(end for end in last if end != final), final]

    def _check_safety(self) -> bool:
        _, step = self._best()
        self._tell("evaluating", "Evaluating model against the 13 safety categories")
        if step != self.ended[-1][1]:
            from peft import load_peft_weights

            from trainserver import lora

            folder = self.layout.epoch(self.job.id, self._best()[0])
            lora.set_adapter_weights(self.model, load_peft_weights(str(folder)))
        self.model.eval()
        name = self._name(step, final=True)
        return screening.screen_model(
            self.config, self.database, self.job.id, self.model, self.tokenizer, name
        )

    def _name(self, step: int, *, final: bool) -> str:
        return ids.model_name(self.job.base, self.job.suffix, self.job.id, step, final=final)

    def _finish(self, tokens: int, safe: bool) -> None:
        """Make result file, checkpoints and models known, all at once."""
        with self.database.read() as connection:
            history = events.metrics(connection, self.job.id)
        file_id = ids.new_id("file")
        content = metrics.result_file(history, self.job.method)
        self.layout.file(file_id).write_bytes(content)
        by_step = {int(numbers["step"]): numbers for numbers in history}
        final = self._best()
        with self.database.write() as connection:
            for end in self._kept():
                self._add_checkpoint(connection, *end, by_step[end[1]], final=end == final, held=not safe)
            files.add(
                connection,
                file_id,
                len(content),
                "step_metrics.csv",
                "fine-tune-results",
                project=self.job.project,
            )
            models.measure(connection, self.job.base, tokens, self.seconds, self.group.peak())
            jobs.mark_succeeded(
                connection,
                self.job.id,
                model=self._name(final[1], final=True),
                trained_tokens=tokens,
                result_file=file_id,
            )
        (self.folder / "state.pt").unlink()

    def _add_checkpoint(
        self, connection: Any, epoch: int, step: int, numbers: metrics.Metrics, *, final: bool, held: bool
    ) -> None:
        name = self._name(step, final=final)
        folder = self.layout.relative(self.layout.epoch(self.job.id, epoch))
        shown = {key: value for key, value in numbers.items() if key != "total_steps"}
        job = self.job
        models.add(connection, name, job.base, job.model, job.id, folder, project=job.project, held=held)
        models.add_checkpoint(connection, self.job.id, step, name, shown)
        if not final:
            text = f"Checkpoint created at step {step} with Snapshot ID: {name}"
            events.add(connection, self.job.id, f"checkpoint:{step}", text)

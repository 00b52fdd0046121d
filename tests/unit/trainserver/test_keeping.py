# pyright: basic
"""Which epochs stay and when a job stops, by real trainings of the random model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainserver.conftest import lines
from trainserver import events, files, jobs, models
from trainserver.config import load
from trainserver.database import Database
from trainserver.hyperparameters import Asked
from trainserver.layout import Layout
from trainserver.run import Left, Run

# peft's, about a name that transformers changed.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
Trained = Callable[..., tuple[jobs.Job, list[models.Checkpoint], Layout]]


@pytest.fixture
def train(tmp_path: Path, tiny: Path) -> Trained:
    """Train 12 rows for some epochs, checked against four rows whose answers are quite others."""

    def run(settings: str, epochs: int, *, checked: bool = False) -> Any:
        layout, config = Layout(tmp_path / "data"), tmp_path / "trainserver.toml"
        config.write_text(f'{settings}\n[bases.tiny]\npath = "{tiny}"\nlearning_rate = 0.02\n')
        database = Database(layout.database)
        layout.file("x").parent.mkdir()
        validation = "v" if checked else None
        job = jobs.Job(
            "j", 0, "queued", "tiny", "tiny", "t", validation, None, 1, None, Asked(epochs, 4, 1.0)
        )
        with database.write() as connection:
            for name, content in (("t", lines(12, "aaaaaaaa {}")), ("v", lines(4, "zzzz ZZZZ {}"))):
                layout.file(name).write_bytes(content)
                files.add(connection, name, 1, "rows.jsonl", "fine-tune")
            jobs.add(connection, job)
        layout.job("j").mkdir(parents=True)
        Run(layout, load(config), job).go()
        with database.read() as connection:
            kept = models.checkpoints(connection, "j", limit=50, after=None)[0]
            return jobs.get(connection, "j"), kept, layout

    return run


def _epochs(layout: Layout) -> list[str]:
    return sorted(path.name for path in layout.job("j").iterdir() if path.is_dir())


def test_early_stopping_ends_the_job_and_gives_the_best_epoch(train: Trained):
    job, kept, layout = train("early_stopping = 2\nkeep_checkpoints = 1", 30, checked=True)
    assert job.status == "succeeded"
    losses = {point.step: point.metrics["full_valid_loss"] for point in kept}
    final = next(point for point in kept if point.model == job.fine_tuned_model)
    assert losses[final.step] == min(losses.values())
    best, last = final.step // 3, max(losses) // 3
    assert last == best + 2 < 30
    assert _epochs(layout) == sorted({f"epoch-{best}", f"epoch-{last}"})
    with Database(layout.database).read() as connection:
        model = models.find(connection, job.fine_tuned_model or "")
    assert model is not None
    assert model.folder == f"jobs/j/epoch-{best}"


@pytest.mark.parametrize(("settings", "steps"), [("", [15, 12, 9]), ("keep_checkpoints = 4", [15, 12, 9, 6])])
def test_the_last_three_epochs_are_kept_unless_more_are_wanted(
    train: Trained, settings: str, steps: list[int]
):
    _, kept, layout = train(settings, 5)
    assert [point.step for point in kept] == steps
    assert _epochs(layout) == sorted(f"epoch-{step // 3}" for step in steps)


@pytest.mark.parametrize(("asked", "raised"), [(jobs.ask_pause, Left), (jobs.cancel, jobs.NoLongerActive)])
def test_pause_and_cancel_act_within_one_step(
    train: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Any, raised: type[BaseException]
):
    record = Run._record

    def recorded(run: Run, step: Any) -> int:
        wanted = record(run, step)
        if step.step == 4:
            with run.database.write() as connection:
                asked(connection, "j")
        return wanted

    monkeypatch.setattr(Run, "_record", recorded)
    with pytest.raises(raised):
        train("", 5)
    with Database(Layout(tmp_path / "data").database).read() as connection:
        steps = [step["step"] for step in events.metrics(connection, "j")]
        status = jobs.get(connection, "j").status
    assert (steps, status) in (([1, 2, 3, 4, 5], "paused"), ([1, 2, 3, 4], "cancelled"))

"""The loss curve, and its words for those who cannot see it."""

from __future__ import annotations

from typing import Any

from storage.records import Checkpoint, Event, Job
from tuning.pictures import loss_picture

JOB = Job(1, "i", "triage-1", "triage", 1, "p", "b", 1, "C1", "U1", "ready", 1.0)


def events() -> list[Event]:
    made: list[Event] = [Event(1, "m", 0.0, "info", "message", "Fine-tuning job started")]
    for step in range(1, 10):
        data: dict[str, Any] = {"step": step, "train_loss": 2.0 / step}
        if step % 3 == 0:
            data["full_valid_loss"] = 2.2 / step
        made.append(Event(1, f"e{step}", float(step), "info", "metrics", "", data))
    return made


def test_a_job_with_figures_has_a_picture_that_tells_its_story_in_words() -> None:
    picture = loss_picture(JOB, events(), [Checkpoint(1, "c", "m", 3, 1, 1.0)])
    assert picture is not None
    assert picture.png.startswith(b"\x89PNG")
    assert "Training loss goes from 2.00 to 0.22 at step 9" in picture.alt
    assert "Validation loss goes from 0.73 to 0.24" in picture.alt


def test_a_job_without_figures_has_no_picture() -> None:
    assert loss_picture(JOB, events()[:1], []) is None

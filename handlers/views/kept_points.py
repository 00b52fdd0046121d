"""Checkpoints by the epoch they end: providers often tell of them only when the whole job has ended."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.text import number
from handlers.views.layout import Line, Part, code
from storage.records import Checkpoint, Job

SHOWN = 5


def epoch_ended(job: Job, step: int) -> int | None:
    """The epoch that ends at a step (or one beside it: providers round), ``None`` in the middle of one."""
    total, epochs = job.progress.get("total_steps"), job.progress.get("epochs")
    if not total or not epochs:
        return None
    epoch = round(step * epochs / total)
    return epoch if epoch > 0 and abs(step - epoch * total / epochs) <= 1 else None


def kept_line(job: Job, points: Sequence[Checkpoint]) -> Line:
    """``Also kept: triage-7@1 (epoch 1) · triage-7@2 (epoch 2)``; not the final model itself."""
    others = [point for point in points if point.model != job.fine_tuned_model]
    if not others:
        return []
    line: list[str | Part] = ["Also kept: "]
    for index, point in enumerate(others[-SHOWN:]):
        epoch = epoch_ended(job, point.step)
        where = f"epoch {epoch}" if epoch else f"step {number(point.step)}"
        line += [" · " if index else "", code(f"{job.name}@{point.number}"), f" ({where})"]
    earlier = len(others) - SHOWN
    return [*line, f" · {earlier} earlier under Checkpoints"] if earlier > 0 else line

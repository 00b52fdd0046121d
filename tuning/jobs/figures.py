"""The figures of a running job, gathered from its events.

Keys of ``Job.progress`` kept here: step, total_steps, train_loss, first_loss, valid_loss,
first_valid_loss, token_accuracy, valid_accuracy, epoch (ended so far), epochs, step_seconds (measured),
steps_at (the last steps with their time), and by_epoch: ``{"epoch", "step", "train_loss", "valid_loss",
"token_accuracy"}`` for every epoch that ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from storage.records import Event
from tuning.providers import reading

Json = dict[str, Any]

MOST_EPOCH_NOTICES = 5
STEPS_KEPT = 6
_STEP = re.compile(
    r"Step (\d+)/(\d+)\s*: training loss=([\d.]+)(?:, validation loss=([\d.]+))?"
    r"(?:, full validation loss=([\d.]+))?"
)


def gather(progress: Json, events: Iterable[Event], epochs: int | None) -> tuple[Json, list[Json]]:
    """The figures after ``events`` (oldest first), and the epochs that ended with them."""
    figures = dict(progress)
    if epochs:
        figures["epochs"] = epochs
    ended: list[Json] = []
    for event in events:
        point = _point(event)
        if point and not _is_late(figures, point, event.at):
            _take(figures, point, event.at)
            ended += _epochs_ended(figures, point)
    return figures, ended


def worth_a_notice(epoch: int, epochs: int) -> bool:
    """Whether the end of this epoch is told: all up to five, else five spread evenly, the last among them."""
    if epochs <= MOST_EPOCH_NOTICES:
        return True
    return epoch in {round(n * epochs / MOST_EPOCH_NOTICES) for n in range(1, MOST_EPOCH_NOTICES + 1)}


def _point(event: Event) -> Json:
    """The figures of one event: from its data, or, where a provider sends words only, from those."""
    data = event.data
    if reading.whole(data.get("step")) is not None:
        valid = reading.number(data.get("full_valid_loss"))
        accuracy = reading.number(data.get("full_valid_mean_token_accuracy"))
        return _without_none(
            step=reading.whole(data.get("step")),
            total_steps=reading.whole(data.get("total_steps")),
            train_loss=reading.number(data.get("train_loss")),
            valid_loss=reading.number(data.get("valid_loss")) if valid is None else valid,
            token_accuracy=reading.number(data.get("train_mean_token_accuracy")),
            valid_accuracy=accuracy,
        )
    match = _STEP.search(event.message)
    if match is None:
        return {}
    step, total, train, valid, full = match.groups()
    numbers = {"train_loss": _float(train), "valid_loss": _float(full or valid)}
    return _without_none(step=int(step), total_steps=int(total), **numbers)


def _is_late(figures: Json, point: Json, at: float) -> bool:
    """Whether a later step was known before; a job that goes on from a snapshot has earlier steps later."""
    seen = cast("list[list[float]]", figures.get("steps_at", []))
    return bool(seen) and point["step"] < seen[-1][0] and at <= seen[-1][1]


def _take(figures: Json, point: Json, at: float) -> None:
    figures |= point
    for first, now in (("first_loss", "train_loss"), ("first_valid_loss", "valid_loss")):
        if now in point:
            figures.setdefault(first, point[now])
    seen = cast("list[list[float]]", figures.get("steps_at", []))
    if seen and point["step"] <= seen[-1][0]:
        seen = [s for s in seen if s[0] < point["step"]]
    seen = [*seen, [point["step"], at]][-STEPS_KEPT:]
    figures["steps_at"] = seen
    if len(seen) > 1:
        figures["step_seconds"] = max(0.0, (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0]))


def _epochs_ended(figures: Json, point: Json) -> list[Json]:
    epochs, total = figures.get("epochs"), figures.get("total_steps")
    if not epochs or not total:
        return []
    rows = cast("list[Json]", list(figures.get("by_epoch", [])))
    facts = {k: point[k] for k in ("train_loss", "valid_loss", "token_accuracy") if k in point}
    if rows and rows[-1]["step"] == point["step"]:
        rows[-1] = rows[-1] | facts
    done = min(point["step"] * epochs // total, epochs)
    ended: list[Json] = [
        {"epoch": epoch, "step": point["step"], **facts}
        for epoch in range((rows[-1]["epoch"] if rows else 0) + 1, done + 1)
    ]
    figures["by_epoch"] = rows + ended
    figures["epoch"] = (ended or rows or [{"epoch": 0}])[-1]["epoch"]
    return ended


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _without_none(**values: Any) -> Json:
    return {k: v for k, v in values.items() if v is not None}

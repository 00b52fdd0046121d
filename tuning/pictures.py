"""Pictures of a job, as PNG with a text for those who cannot see them."""

# matplotlib leaves most keyword arguments untyped.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.records import Checkpoint, Event, Job
from tuning.providers import reading

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = list[tuple[float, float]]

_INK, _QUIET, _TRAIN, _VALID = "#1d1c1d", "#8d8d8d", "#1264a3", "#e01e5a"


@dataclass(frozen=True, slots=True)
class Picture:
    """``png`` bytes, a short ``title`` and the ``alt`` text."""

    png: bytes
    title: str
    alt: str


def loss_picture(job: Job, events: list[Event], checkpoints: list[Checkpoint]) -> Picture | None:
    """The loss curve of a job, or ``None`` without figures. Slow (up to a second): call it in a thread."""
    train = _points(events, "train_loss")
    valid = _points(events, "full_valid_loss") or _points(events, "valid_loss")
    if not train and not valid:
        return None
    from matplotlib.figure import Figure  # half a second and 40 MB, not before there is something to draw

    figure = Figure(figsize=(8, 4), dpi=150, layout="constrained")
    axes = figure.subplots()
    _draw(axes, train, valid, [c.step for c in checkpoints])
    title = f"Loss of {job.name}"
    axes.set_title(title, loc="left", color=_INK, fontsize=12)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return Picture(out.getvalue(), title, _alt(job, train, valid))


def _points(events: list[Event], key: str) -> Points:
    found: dict[float, float] = {}
    for event in events:
        step, value = reading.number(event.data.get("step")), reading.number(event.data.get(key))
        if step is not None and value is not None:
            found[step] = value
    return sorted(found.items())


def _draw(axes: Axes, train: Points, valid: Points, checkpoints: list[int]) -> None:
    for step in checkpoints:
        axes.axvline(step, color=_QUIET, linewidth=0.8, linestyle=":")
    if train:
        axes.plot(*zip(*train, strict=True), color=_TRAIN, linewidth=1.6, label="training")
    if valid:
        axes.plot(*zip(*valid, strict=True), color=_VALID, linewidth=1.6, marker="o", label="validation")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("step" + (" (dotted: checkpoint)" if checkpoints else ""), color=_INK)
    axes.set_ylabel("loss", color=_INK)
    axes.grid(axis="y", color="#e8e8e8", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _alt(job: Job, train: Points, valid: Points) -> str:
    parts = [f"Line chart of the loss of {job.name}."]
    for name, points in (("Training", train), ("Validation", valid)):
        if points:
            low = min(points, key=lambda p: p[1])
            parts.append(
                f"{name} loss goes from {points[0][1]:.2f} to {points[-1][1]:.2f}"
                f" at step {points[-1][0]:.0f}, lowest {low[1]:.2f} at step {low[0]:.0f}."
            )
    return " ".join(parts)

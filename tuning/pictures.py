"""Pictures of a job, as PNG with a text for those who cannot see them."""

from __future__ import annotations

from dataclasses import dataclass

from storage.records import Checkpoint, Event, Job


@dataclass(frozen=True, slots=True)
class Picture:
    """``png`` bytes, a short ``title`` and the ``alt`` text."""

    png: bytes
    title: str
    alt: str


def loss_picture(job: Job, events: list[Event], checkpoints: list[Checkpoint]) -> Picture | None:
    """The loss curve of a job, or ``None`` without figures. Slow (a second): call it in a thread."""
    raise NotImplementedError

"""Whether a dataset may leave this server."""

from __future__ import annotations

from typing import Any

from storage import datasets
from storage.records import Dataset
from storage.store import Database
from tuning.datasets import HOLD


def private_classes(dataset: Dataset) -> dict[str, int]:
    """How many values of each class were found for which a person must decide: ``{"payment_card": 2}``."""
    found: dict[str, int] = {}
    privacy: dict[str, dict[str, Any]] = dataset.report.get("privacy") or {}
    for code, finding in privacy.items():
        if code in HOLD:
            found[code] = int(finding["count"])
    return found


def held(db: Database, dataset: Dataset) -> bool:
    """Whether the file waits for a person's decision; a content is decided on once."""
    return bool(private_classes(dataset)) and datasets.release_of(db, dataset.sha256) is None


def release(db: Database, dataset: Dataset, by: str, now: float) -> None:
    """Notes that ``by`` lets the file leave as it is. A decision that stands already is kept."""
    if held(db, dataset):
        datasets.change(db, dataset.id, released_by=by, released_at=now)

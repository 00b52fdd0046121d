"""Datasets and their uploads."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from storage.errors import NotFound
from storage.records import Dataset, Upload
from storage.rows import first, insert, run, scalar, select, update


def add(db: Database, dataset: Dataset) -> Dataset | None:
    """Keeps a new drop (``id`` is given here) and answers it, or ``None`` when its ``drop_id`` is known."""
    row_id = insert(db, "datasets", dataset, drop=("id",), ignore=True)
    return get(db, row_id) if row_id else None


def get(db: Database, dataset_id: int) -> Dataset:
    """One dataset.

    Raises:
        NotFound: there is none with this id.
    """
    found = first(db, Dataset, "SELECT * FROM datasets WHERE id = ?", [dataset_id])
    if found is None:
        raise NotFound(f"There is no dataset {dataset_id}.")
    return found


def change(db: Database, dataset_id: int, **changes: Any) -> None:
    """Changes fields of a dataset."""
    update(db, "datasets", {"id": dataset_id}, changes)


def next_version(db: Database, channel: str, name: str, sha256: str) -> int:
    """The version this content has under this name in this channel: the known one, else one more."""
    known = scalar(
        db,
        "SELECT version FROM datasets WHERE channel = ? AND name = ? AND sha256 = ?",
        [channel, name, sha256],
    )
    if known is not None:
        return int(known)
    top = scalar(
        db,
        "SELECT max(version) FROM datasets WHERE channel = ? AND name = ? AND sha256 IS NOT NULL",
        [channel, name],
    )
    return int(top or 0) + 1


def in_channel(db: Database, channel: str, *, state: str = "ready", limit: int = 100) -> list[Dataset]:
    """Datasets of a channel in a state, newest first."""
    return select(
        db,
        Dataset,
        "SELECT * FROM datasets WHERE channel = ? AND state = ? ORDER BY id DESC LIMIT ?",
        [channel, state, limit],
    )


def unchecked(db: Database) -> list[Dataset]:
    """Datasets whose check was begun and not finished, oldest first."""
    return select(db, Dataset, "SELECT * FROM datasets WHERE state = 'checking' ORDER BY id")


def want_upload(db: Database, upload: Upload) -> None:
    """Asks for an upload unless this content is at this provider already; one that failed is tried again."""
    insert(db, "uploads", upload, ignore=True)
    run(
        db,
        "UPDATE uploads SET state = 'due', error = NULL"
        " WHERE sha256 = ? AND provider = ? AND state = 'failed'",
        [upload.sha256, upload.provider],
    )


def upload_of(db: Database, sha256: str | None, provider: str) -> Upload | None:
    """The upload of a content at a provider."""
    return first(db, Upload, "SELECT * FROM uploads WHERE sha256 = ? AND provider = ?", [sha256, provider])


def uploads_in(db: Database, *states: str) -> list[Upload]:
    """Uploads in any of these states, oldest change first."""
    marks = ", ".join("?" for _ in states)
    return select(
        db,
        Upload,
        f"SELECT * FROM uploads WHERE state IN ({marks}) ORDER BY updated_at",
        list(states),
    )


def change_upload(db: Database, sha256: str, provider: str, **changes: Any) -> None:
    """Changes fields of an upload."""
    update(db, "uploads", {"sha256": sha256, "provider": provider}, changes)


def with_content(db: Database, sha256: str) -> list[Dataset]:
    """Datasets that have this content."""
    return select(db, Dataset, "SELECT * FROM datasets WHERE sha256 = ? ORDER BY id", [sha256])

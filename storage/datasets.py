"""Datasets and their uploads."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from storage.errors import NotFound
from storage.records import Dataset, Overlap, Upload
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
    return select(db, Dataset, "SELECT * FROM datasets WHERE state = 'checking' OR examining ORDER BY id")


def kept_in(db: Database, channel: str, *, limit: int = 100) -> list[Dataset]:
    """Every dataset of a channel that was checked and neither closed nor deleted, newest first."""
    return select(
        db,
        Dataset,
        "SELECT * FROM datasets WHERE channel = ? AND state IN ('ready', 'not_ready')"
        " ORDER BY id DESC LIMIT ?",
        [channel, limit],
    )


def of_user(db: Database, user: str, *, limit: int = 10) -> list[Dataset]:
    """What a person dropped that is ready to train on, newest first."""
    return select(
        db,
        Dataset,
        "SELECT * FROM datasets WHERE user = ? AND state = 'ready' ORDER BY id DESC LIMIT ?",
        [user, limit],
    )


def by_drop(db: Database, drop_id: str) -> Dataset | None:
    """The dataset with this ``drop_id``."""
    return first(db, Dataset, "SELECT * FROM datasets WHERE drop_id = ?", [drop_id])


def dropped_with(db: Database, dataset: Dataset) -> list[Dataset]:
    """The other files of the same message, oldest first."""
    place = ":".join(dataset.drop_id.split(":")[:2]) + ":"
    return select(
        db,
        Dataset,
        "SELECT * FROM datasets WHERE substr(drop_id, 1, ?) = ? AND id != ? AND origin_id IS NULL"
        " ORDER BY id",
        [len(place), place, dataset.id],
    )


def made_from(db: Database, dataset_id: int) -> list[Dataset]:
    """The datasets that were made from this one, newest first."""
    return select(db, Dataset, "SELECT * FROM datasets WHERE origin_id = ? ORDER BY id DESC", [dataset_id])


def validated_by(db: Database, dataset_id: int) -> list[Dataset]:
    """Training data that this dataset is the validation data of."""
    return select(db, Dataset, "SELECT * FROM datasets WHERE validation_id = ? ORDER BY id", [dataset_id])


def version_before(db: Database, dataset: Dataset) -> Dataset | None:
    """The newest other content of this name in the channel that is kept here; no part or redacted copy."""
    return first(
        db,
        Dataset,
        "SELECT * FROM datasets WHERE channel = ? AND name = ? AND id < ? AND sha256 != ?"
        " AND path IS NOT NULL AND state IN ('ready', 'not_ready') AND (origin IS NULL OR origin = 'repair')"
        " ORDER BY state = 'ready' DESC, id DESC",
        [dataset.channel, dataset.name, dataset.id, dataset.sha256],
    )


def release_of(db: Database, sha256: str | None) -> Dataset | None:
    """A dataset of this content that somebody decided to send with its private values."""
    return first(
        db,
        Dataset,
        "SELECT * FROM datasets WHERE sha256 = ? AND released_by IS NOT NULL ORDER BY released_at DESC",
        [sha256],
    )


def older_than(db: Database, moment: float, *states: str) -> list[Dataset]:
    """Datasets in any of these states that are kept here and were dropped before ``moment``."""
    marks = ", ".join("?" for _ in states)
    return select(
        db,
        Dataset,
        f"SELECT * FROM datasets WHERE path IS NOT NULL AND created_at < ? AND state IN ({marks})",
        [moment, *states],
    )


def keep_overlap(db: Database, overlap: Overlap) -> None:
    """Keeps how far two contents overlap; a second time changes nothing."""
    insert(db, "overlaps", overlap, ignore=True)


def overlap_of(db: Database, training: str | None, validation: str | None) -> Overlap | None:
    """How far two contents overlap, when it was looked at."""
    return first(
        db, Overlap, "SELECT * FROM overlaps WHERE training = ? AND validation = ?", [training, validation]
    )


def allow_overlap(db: Database, training: str | None, validation: str | None, by: str, now: float) -> None:
    """Notes that ``by`` lets two contents that overlap be used together; a decision that stands is kept."""
    known = overlap_of(db, training, validation)
    if known is not None and known.rows and known.allowed_by is None:
        key = {"training": training, "validation": validation}
        update(db, "overlaps", key, {"allowed_by": by, "allowed_at": now})


def forget_upload(db: Database, sha256: str, provider: str) -> None:
    """Forgets an upload whose file is no longer at the provider."""
    run(db, "DELETE FROM uploads WHERE sha256 = ? AND provider = ?", [sha256, provider])


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

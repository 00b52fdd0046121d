"""Datasets that are made from others: repaired and redacted copies, the two parts of a split.

A wish is written down with its card first; the file is then made from the kept original, as often as a crash
demands, and checked like any drop. The original stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from storage import datasets, outbox
from storage.records import Dataset, Origin, Purpose
from storage.store import Database
from tuning.errors import DatasetError, NotKept
from tuning.jobs import notices, workers
from tuning.jobs.names import held_out_name

Make = Callable[[Path, Path, Path, Path | None], list[dict[str, Any]]]

_GONE = ("failed", "closed", "deleted")


def want(
    db: Database, dataset_id: int, origin: Origin, user: str, now: float, *, read_as: str | None = None
) -> list[Dataset]:
    """Writes down what is to be made from a dataset, each with its card; what is there already is answered.

    ``read_as``: for a repair, the format that a person says the rows are in (a key of ``FORMATS``).

    Raises:
        NotFound: there is no such dataset.
        NotKept: its file is gone.
        DatasetError: it cannot be made from this dataset.
    """
    source = datasets.get(db, dataset_id)
    if source.path is None or source.state not in ("ready", "not_ready"):
        raise NotKept
    if origin == "split":
        if source.state != "ready":
            raise DatasetError(f"{source.title} is not ready to train, so nothing can be split off.")
        kept = _want_one(db, source, origin, "training", source.name, user, now)
        held_out = _want_one(db, source, origin, "validation", held_out_name(source.name), user, now)
        datasets.change(db, kept.id, validation_id=held_out.id)
        made = [replace(kept, validation_id=held_out.id), held_out]
    else:
        made = [_want_one(db, source, origin, source.purpose, source.name, user, now, read_as)]
    outbox.touch(db, f"drop:{dataset_id}")
    return made


def _want_one(
    db: Database,
    source: Dataset,
    origin: Origin,
    purpose: Purpose,
    name: str,
    user: str,
    now: float,
    read_as: str | None = None,
) -> Dataset:
    for known in datasets.made_from(db, source.id):
        same = (known.origin, known.purpose, known.read_as) == (origin, purpose, read_as)
        if same and known.state not in _GONE:
            return known
    count = len(datasets.made_from(db, source.id))
    made = datasets.add(
        db,
        Dataset(
            id=0,
            name=name,
            version=1,
            channel=source.channel,
            thread=source.thread,
            user=user,
            drop_id=f"{source.drop_id}#{origin}-{count + 1}",
            state="checking",
            created_at=now,
            purpose=purpose,
            origin_id=source.id,
            origin=origin,
            read_as=read_as,
        ),
    )
    assert made is not None
    notices.drop_card(db, made, now)
    return made


def maker(dataset: Dataset) -> Make:
    """What makes the file of a derived dataset."""
    match dataset.origin:
        case "repair":
            return partial(workers.run_repair, read_as=dataset.read_as)
        case "redaction":
            return workers.run_redact
        case _:
            return partial(workers.run_split, validation=dataset.purpose == "validation")

"""Datasets that are made from others: repaired and redacted copies, the two parts of a split.

A wish is written down with its card first; the file is then made from the kept original, as often as a crash
demands, and checked like any drop. The original stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    db: Database,
    dataset_id: int,
    origin: Origin,
    user: str,
    now: float,
    *,
    read_as: str | None = None,
    left_out: Sequence[int] = (),
) -> list[Dataset]:
    """Writes down what is to be made from a dataset, each with its card; what is there already is answered.

    ``read_as``: for a repair, the format that a person says the rows are in (a key of ``FORMATS``).
    ``left_out``: for an omission, the lines of this dataset's file that the copy is to be without.

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
        made = [_want_one(db, source, origin, source.purpose, source.name, user, now, read_as, left_out)]
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
    left_out: Sequence[int] = (),
) -> Dataset:
    for known in datasets.made_from(db, source.id):
        same = (known.origin, known.purpose, known.read_as) == (origin, purpose, read_as)
        same = same and (origin != "omission" or _left_out(known) == sorted(left_out))
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
            changes=[workers.omitted(sorted(left_out))] if origin == "omission" else [],
        ),
    )
    assert made is not None
    notices.drop_card(db, made, now)
    return made


def _left_out(dataset: Dataset) -> list[int]:
    """The lines of its original that an omission is without."""
    return [int(row) for change in dataset.changes for row in change.get("rows") or ()]


def maker(dataset: Dataset) -> Make:
    """What makes the file of a derived dataset."""
    match dataset.origin:
        case "repair":
            return partial(workers.run_repair, read_as=dataset.read_as)
        case "redaction":
            return workers.run_redact
        case "omission":
            return partial(workers.run_omit, rows=_left_out(dataset))
        case _:
            return partial(workers.run_split, validation=dataset.purpose == "validation")

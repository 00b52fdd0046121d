"""Before a job starts: what must be made first (a redacted copy, a part held out), and what forbids it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from handlers.house import House
from handlers.views.start_form import REDACTED, Chosen
from storage import datasets
from storage.records import Dataset, Origin
from tuning.errors import DatasetError, StartRefused
from tuning.jobs import making
from tuning.jobs.fitting import refuse_overlap
from tuning.jobs.holding import held
from tuning.jobs.start import StartRequest, check_datasets, check_method, check_numbers

SECONDS = 1.2
"""How long an acknowledgement may wait for a check that is under way (Slack waits three seconds in all)."""


async def refuse(house: House, request: StartRequest, chosen: Chosen) -> None:
    """Looks at what our own records tell, within the time of an acknowledgement.

    Raises:
        StartRefused: a field does not fit.
    """
    check_numbers(request)
    await house.intake.examined(request.dataset_id, SECONDS)
    probe = replace(request, release=True) if chosen.leaves == REDACTED else request
    training, validation = await house.store.read(lambda db: check_datasets(db, probe, None))
    await house.engine.look_over(request)
    check_method(request, training, held_out=chosen.split or validation is not None)
    if validation is None:
        return
    try:
        async with asyncio.timeout(SECONDS):
            overlap = await house.intake.overlap(training, validation)
    except TimeoutError:  # the engine looks again before anything starts
        return
    except DatasetError as problem:
        raise StartRefused("validation", str(problem), problem.todo) from problem
    refuse_overlap(overlap, allowed=request.overlap_ok)


async def prepare(house: House, request: StartRequest, chosen: Chosen) -> StartRequest:
    """The wish with what had to be made for it; making takes as long as it takes.

    Raises:
        StartRefused: the data is none of this channel's, or what was made is not ready to train.
        TuningError: it cannot be made.
    """
    probe = replace(request, release=True)
    await house.store.read(lambda db: check_datasets(db, probe, None))
    if chosen.leaves == REDACTED:
        training = await _redacted(house, request.dataset_id, request.owner, "dataset")
        held_out = request.validation_id
        if held_out is not None:
            held_out = await _redacted(house, held_out, request.owner, "validation")
        request = replace(request, dataset_id=training, validation_id=held_out)
    if chosen.split:
        kept, held_out = await make(house, request.dataset_id, "split", request.owner, "validation")
        request = replace(request, dataset_id=kept.id, validation_id=held_out.id)
    return request


async def _redacted(house: House, dataset_id: int, user: str, field: str) -> int:
    waits = await house.store.read(lambda db: held(db, datasets.get(db, dataset_id)))
    if not waits:
        return dataset_id
    (copy,) = await make(house, dataset_id, "redaction", user, field)
    return copy.id


async def make(
    house: House, dataset_id: int, origin: Origin, user: str, field: str, *, left_out: Sequence[int] = ()
) -> list[Dataset]:
    """Makes copies and waits until they are checked. ``left_out``: lines that an omission is without.

    Raises:
        StartRefused: one of them is not ready to train; ``field`` is where that is said.
    """
    now = house.clock()
    wanted = await house.store.write(
        lambda db: making.want(db, dataset_id, origin, user, now, left_out=left_out)
    )
    made = await asyncio.gather(*(house.intake.make(copy.id) for copy in wanted))
    for copy in made:
        if copy.state != "ready":
            raise StartRefused(
                field, f"{copy.title}, made for this job, is not ready to train.", "See its card."
            )
    return made

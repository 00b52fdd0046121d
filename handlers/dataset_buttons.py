"""Surface: the buttons and menu of a dataset's card. Every one checks anew what it may do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from handlers import preparing, reply
from handlers.answer import Answer, Message
from handlers.errors import BadCall
from handlers.house import House
from handlers.incoming import Incoming
from handlers.sharing import share
from handlers.text import name
from handlers.verbs.datasets import labels, listed, may_delete
from handlers.views import reading_form, validation_form
from handlers.views.dataset_list import about_dataset, ask_delete
from handlers.views.dataset_words import MORE
from handlers.views.reading_form import ReadingWish
from handlers.views.validation_form import ValidationWish
from storage import datasets, outbox
from storage.records import Dataset, InboxItem, Origin
from storage.store import Database
from tuning.errors import DatasetError, StartRefused
from tuning.jobs import making
from tuning.jobs.fitting import refuse_columns, refuse_overlap

Begin = Callable[[Sequence[Dataset]], None]
Do = Callable[[House, Incoming, Dataset], Awaitable[None]]
_DELETABLE = ("ready", "not_ready", "failed")


class DatasetButtons:
    """Does what the card of a dataset offers; ``begin`` makes and checks copies behind the present work."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._does: dict[str, Do] = {
            "fix": self._fix,
            "redact": self._redact,
            "read_as": _open_reading,
            "release": _release,
            "report": _report,
            "chart": _chart,
            "close": _close,
            "about": _about,
            "add_validation": _open_validation,
            "dataset_delete": _ask_delete,
            "dataset_delete_here": _delete_here,
            "dataset_delete_all": _delete_all,
            "dataset_keep": _list,
        }

    def knows(self, clicked: Incoming) -> bool:
        """Whether a click is on a dataset's card or list."""
        return clicked.action == MORE or (clicked.action in self._does and clicked.action != "about")

    async def on_action(self, house: House, item: InboxItem, clicked: Incoming) -> None:
        """Does it. A menu's value says what and for which dataset.

        Raises:
            BadCall: the button is of another channel, or too old. TuningError: it cannot be done.
        """
        what, _, number = (
            clicked.value.rpartition(":") if clicked.action == MORE else (clicked.action, "", clicked.value)
        )
        do = self._does.get(what)
        if do is None or not number.isdigit():
            raise BadCall("This button is too old to be understood.", "Drop the file again for a new card.")
        dataset = await house.store.read(lambda db: datasets.get(db, int(number)))
        if dataset.channel != clicked.channel:
            raise BadCall("This file belongs to another channel.")
        await do(house, clicked, dataset)

    async def _fix(self, house: House, clicked: Incoming, dataset: Dataset) -> None:
        await self._make(house, clicked, dataset, "repair")

    async def _redact(self, house: House, clicked: Incoming, dataset: Dataset) -> None:
        await self._make(house, clicked, dataset, "redaction")

    async def _make(self, house: House, clicked: Incoming, dataset: Dataset, origin: Origin) -> None:
        """The card says that it is being made; a second click changes nothing."""
        now = house.clock()
        self._begin(
            await house.store.write(lambda db: making.want(db, dataset.id, origin, clicked.user, now))
        )


async def _release(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Sends the file as it is, on this person's word."""
    await house.intake.release(dataset.id, clicked.user)


async def _report(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """The full report as a table file in the thread of the drop; every line is named."""
    if not dataset.report:
        raise BadCall("There is no report of this file here.", "Drop the file again.")
    await share(
        house,
        clicked,
        channel=dataset.channel,
        thread=dataset.thread,
        filename=f"report-{dataset.id}.csv",
        title=f"Report on {name(dataset.title)}",
        content=await house.intake.table(dataset.id),
    )


async def _chart(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """How long the examples are, as a picture in the thread of the drop."""
    picture = await house.intake.chart(dataset.id)
    if picture is None:
        await reply.tell(house, clicked, Message("There are no examples to draw."))
        return
    await share(
        house,
        clicked,
        channel=dataset.channel,
        thread=dataset.thread,
        filename=f"tokens-{dataset.id}.png",
        title=picture.title,
        content=picture.png,
        alt=picture.alt[:1000],
    )


async def _close(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Not training data: the card closes quietly and the file is no longer kept."""
    if dataset.state == "not_ready":
        await house.intake.remove(dataset.id, clicked.user, "closed")


async def _about(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Ids, places and decisions, to the person alone."""
    names, known = house.providers.names, await labels(house)
    uploads, origin = await house.store.read(
        lambda db: (
            [
                (known[one], upload)
                for one in names
                if (upload := datasets.upload_of(db, dataset.sha256, one))
            ],
            datasets.get(db, dataset.origin_id) if dataset.origin_id else None,
        )
    )
    await reply.tell(house, clicked, about_dataset(dataset, origin, uploads))


async def _ask_delete(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Says first what would go, what stays and what needs it; stands in place of the list."""
    _only_owner(house, clicked, dataset)
    page = ask_delete(dataset, await house.intake.ties(dataset.id), await labels(house))
    await reply.answer(house, clicked, Answer(page, replace=bool(clicked.response_url)))


async def _delete_here(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Deletes what is kept here; the list stands in place of the question."""
    _only_owner(house, clicked, dataset)
    if dataset.state in _DELETABLE:
        await house.intake.remove(dataset.id, clicked.user, "deleted")
    await _list(house, clicked, dataset)


async def _delete_all(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Deletes it at the providers too, where nothing needs it."""
    _only_owner(house, clicked, dataset)
    if dataset.state in _DELETABLE:
        await house.intake.remove_everywhere(dataset.id, clicked.user)
    await _list(house, clicked, dataset)


async def _list(house: House, clicked: Incoming, dataset: Dataset) -> None:
    message = await listed(house, clicked.channel, clicked.user)
    await reply.answer(house, clicked, Answer(message, replace=bool(clicked.response_url)))


def _only_owner(house: House, clicked: Incoming, dataset: Dataset) -> None:
    if not may_delete(house, dataset, clicked.user):
        raise BadCall("Only the person who dropped a file, or an admin of ftbot, deletes it.")


async def _open_validation(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Opens the form that adds validation data."""
    if dataset.state != "ready":
        raise BadCall(f"{dataset.title} is not ready to train.")
    ready = await house.store.read(lambda db: datasets.in_channel(db, dataset.channel))
    seen: dict[str | None, Dataset] = {}
    for other in ready:
        if other.sha256 != dataset.sha256 and other.origin_id != dataset.id:
            seen.setdefault(other.sha256, other)
    view = validation_form.validation_form(dataset, list(seen.values()))
    await house.client.views_open(trigger_id=clicked.trigger_id or "", view=view)


async def _open_reading(house: House, clicked: Incoming, dataset: Dataset) -> None:
    """Opens the form that asks what the rows are."""
    if dataset.state != "not_ready":
        raise BadCall(f"{dataset.title} needs no other reading.")
    view = reading_form.reading_form(dataset)
    await house.client.views_open(trigger_id=clicked.trigger_id or "", view=view)


async def read_as(house: House, wish: ReadingWish, user: str) -> None:
    """Makes the copy that reads the rows as the chosen format; its card shows what came of it.

    Raises:
        DatasetError: the file is gone, or belongs to another channel.
    """
    now = house.clock()

    def keep(db: Database) -> list[Dataset]:
        if datasets.get(db, wish.dataset_id).channel != wish.channel:
            raise DatasetError("This file belongs to another channel.")
        return making.want(db, wish.dataset_id, "repair", user, now, read_as=wish.read_as)

    (copy,) = await house.store.write(keep)
    await house.intake.make(copy.id)


async def refuse_validation(house: House, wish: ValidationWish) -> None:
    """Refuses a file that overlaps, within the time of an acknowledgement.

    Raises:
        StartRefused: it does.
    """
    if wish.validation_id is None:
        return
    training, validation = await house.store.read(lambda db: _both(db, wish))
    try:
        async with asyncio.timeout(2 * preparing.SECONDS):
            overlap = await house.intake.overlap(training, validation)
    except TimeoutError:  # it is shown on the card as soon as it is known, and the start form refuses it
        return
    except DatasetError as problem:
        raise StartRefused("validation", str(problem), problem.todo) from problem
    refuse_overlap(overlap, allowed=wish.overlap_ok)


def _both(db: Database, wish: ValidationWish) -> tuple[Dataset, Dataset]:
    training, validation = datasets.get(db, wish.dataset_id), datasets.get(db, wish.validation_id or 0)
    for one in (training, validation):
        if one.channel != wish.channel:
            raise StartRefused("validation", "This file is no longer here.")
        if one.state != "ready":
            raise StartRefused("validation", f"{one.title} is no longer ready here.")
    if validation.method != training.method:
        raise StartRefused("validation", "This file is in another format than the training file.")
    refuse_columns(training, validation)
    return training, validation


async def add_validation(house: House, wish: ValidationWish, user: str) -> None:
    """Holds out a part of the data, or takes the chosen file, and shows it on the card.

    Raises:
        StartRefused: one of the parts is not ready to train.
        DatasetError: the file belongs to another channel.
    """
    if wish.validation_id is None:
        training = await house.store.read(lambda db: datasets.get(db, wish.dataset_id))
        if training.channel != wish.channel:
            raise DatasetError("This file belongs to another channel.")
        await preparing.make(house, wish.dataset_id, "split", user, "validation")
        return
    chosen = wish.validation_id

    def keep(db: Database) -> tuple[Dataset, Dataset]:
        both = _both(db, wish)
        datasets.change(db, wish.dataset_id, validation_id=chosen)
        outbox.touch(db, f"drop:{wish.dataset_id}")
        return both

    training, validation = await house.store.write(keep)
    await house.intake.overlap(training, validation)
    now = house.clock()

    def known(db: Database) -> None:
        if wish.overlap_ok:
            datasets.allow_overlap(db, training.sha256, validation.sha256, user, now)
        outbox.touch(db, f"drop:{wish.dataset_id}")

    await house.store.write(known)

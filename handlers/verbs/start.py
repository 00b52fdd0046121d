"""``start``: the form that starts a job. It opens at once and is filled when the answers are there."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import structlog
from slack_sdk.errors import SlackApiError

from handlers.answer import Answer, Call
from handlers.errors import BadCall
from handlers.house import House
from handlers.offers import all_offers, further_offers
from handlers.slackapi import code_of
from handlers.verbs.verb import Verb
from handlers.views import more_settings, start_form
from handlers.views.dataset_words import private_words
from handlers.views.lists import choose_dataset
from handlers.views.prices import Offer
from handlers.views.start_form import Chosen, Form
from storage import datasets, jobs
from storage.errors import NotFound
from storage.records import Dataset, Job, Overlap
from storage.store import Database
from tuning.errors import DatasetError, StartRefused
from tuning.jobs.holding import held, private_classes
from tuning.jobs.names import names_validation, suggested_suffix

log = structlog.get_logger(__name__)

OVERLAP_SECONDS = 1.0
"""How long the form waits for the answer whether training and validation data overlap."""
AGAIN = re.compile(r"again \d{1,18}")
"""What the button *Start again…* sends: the form is filled as that job was started."""
CLOSED = frozenset({"not_found", "view_not_found", "hash_conflict", "expired_trigger_id"})


async def run(call: Call, house: House) -> Answer | None:
    """Opens the form; where Slack gave no way to open one (a mention), buttons that do."""
    ready = _newest_of_each(await house.store.read(lambda db: datasets.in_channel(db, call.channel)))
    wanted = call.args.strip()
    wish = await _again(house, call.channel, wanted, ready) if AGAIN.fullmatch(wanted) else None
    if wish is None:
        chosen = _named(ready, wanted) if wanted and not AGAIN.fullmatch(wanted) else _likeliest(ready)
        if chosen is None or not call.trigger_id:
            offered = [chosen] if chosen and wanted else sorted(ready, key=lambda one: one is not chosen)
            return Answer(choose_dataset(offered, house.command))
        validation = _validation_for(chosen, ready)
        wish = Chosen(call.channel, chosen.id, validation.id if validation else None, None, None, None)
    if not call.trigger_id:
        return Answer(choose_dataset([d for d in ready if d.id == wish.dataset_id], house.command))
    opened = await house.client.views_open(trigger_id=call.trigger_id, view=start_form.skeleton(call.channel))
    view = cast("dict[str, Any]", opened.get("view") or {})
    await _fill(house, str(view["id"]), wish, ready)
    return None


async def _again(house: House, channel: str, wanted: str, ready: list[Dataset]) -> Chosen | None:
    """What an earlier job of this channel was started with; ``None`` when its data is no longer here.

    Raises:
        NotFound: there is no such job in this channel.
    """

    def look(db: Database) -> tuple[Job, list[str | None]]:
        job = jobs.get(db, int(wanted.split()[1]))
        if job.channel != channel:  # said as if it did not exist
            raise NotFound(f"There is no job {job.id}.")
        used = (job.dataset_id, job.validation_id)
        return job, [datasets.get(db, one).sha256 if one else None for one in used]

    job, contents = await house.store.read(look)
    return _wish_of(job, contents, ready)


def _wish_of(job: Job, contents: Sequence[str | None], ready: list[Dataset]) -> Chosen | None:
    training, validation = (next((d.id for d in ready if sha and d.sha256 == sha), None) for sha in contents)
    return start_form.wish_of(job, training, validation) if training else None


async def fill_again(house: House, view_id: str, job: Job, instead: Mapping[int, int]) -> None:
    """Fills an open form as a job was started; ``instead``: datasets that take the place of its own.

    Raises:
        StartRefused: its training data is no longer here.
    """

    def look(db: Database) -> tuple[list[str | None], list[Dataset]]:
        used = [instead.get(one, one) if one else None for one in (job.dataset_id, job.validation_id)]
        contents = [datasets.get(db, one).sha256 if one else None for one in used]
        return contents, datasets.in_channel(db, job.channel)

    contents, kept = await house.store.read(look)
    ready = _newest_of_each(kept)
    wish = _wish_of(job, contents, ready)
    if wish is None:
        raise StartRefused("dataset", f"The data of {job.name} is no longer ready here.", "Drop it again.")
    await _fill(house, view_id, wish, ready)


async def refuse(house: House, view_id: str, channel: str, words: str) -> None:
    """Says in an open form why it cannot be filled."""
    await _update(house, view_id, start_form.refused(channel, words))


async def refresh(house: House, view: Mapping[str, Any], action: str = "") -> None:
    """Shows the price of what is chosen now in an open form; called on the form's ``block_actions``.

    ``action``: what was clicked; the button *More settings* opens them.
    """
    wish = start_form.chosen(view)
    if action == more_settings.SHOW:
        wish = replace(wish, more=True)
    ready = _newest_of_each(await house.store.read(lambda db: datasets.in_channel(db, wish.channel)))
    if ready:
        await _fill(house, str(view["id"]), wish, ready)


async def _fill(house: House, view_id: str, wish: Chosen, ready: list[Dataset]) -> None:
    """Shows the form. Whether the two files overlap stands in it if that is soon known."""
    dataset, validation = _pair(wish, ready)
    if validation is not None:
        with suppress(DatasetError, TimeoutError):
            async with asyncio.timeout(OVERLAP_SECONDS):
                await house.intake.overlap(dataset, validation)
    await _show(house, view_id, await _form(house, wish, ready))


def _pair(wish: Chosen, ready: list[Dataset]) -> tuple[Dataset, Dataset | None]:
    """The chosen training and validation data."""
    dataset = next((d for d in ready if d.id == wish.dataset_id), ready[0])
    return dataset, next((d for d in ready if d.id == wish.validation_id and d.id != dataset.id), None)


async def _show(house: House, view_id: str, form: Form) -> None:
    await _update(house, view_id, start_form.start_form(form))


async def _update(house: House, view_id: str, view: dict[str, Any]) -> None:
    try:
        await house.client.views_update(view_id=view_id, view=view)
    except SlackApiError as problem:
        if code_of(problem) not in CLOSED:
            raise
        log.info("form_closed", error=code_of(problem))


async def _form(house: House, wish: Chosen, ready: list[Dataset]) -> Form:
    dataset, validation = _pair(wish, ready)
    offers = await all_offers(house, dataset.id, wish.epochs)
    offers += await further_offers(house, wish.channel, dataset.id, wish.epochs)
    offer = next((o for o in offers if o.key == wish.offer_key), None) or _fitting(offers, dataset)
    profile = offer.profile if offer else None
    suffix = wish.suffix
    if suffix is None:
        suffix = suggested_suffix(dataset, profile) if profile else ""
    kept = profile.suffix(suffix) if profile else suffix

    def look(db: Database) -> tuple[int, list[str], Overlap | None, list[str]]:
        overlap = datasets.overlap_of(db, dataset.sha256, validation.sha256) if validation else None
        trained = [job.name for job in jobs.of_dataset(db, dataset.id)]
        return jobs.next_number(db, kept), trained, overlap, _private(db, dataset, validation)

    number, trained, overlap, private = await house.store.read(look)
    return Form(
        channel=wish.channel,
        datasets=ready,
        offers=offers,
        dataset=dataset,
        offer=offer,
        validation=validation,
        suffix=suffix,
        next_name=f"{kept or 'model'}-{number}",
        trained=trained,
        problem="" if offers else "No provider answers right now. Close this and try again in a minute.",
        overlap=overlap,
        split=wish.split,
        private=private,
        leaves=wish.leaves,
        more=wish.more,
        method=wish.method,
        typed=wish.typed,
    )


def _fitting(offers: list[Offer], dataset: Dataset) -> Offer | None:
    """The first base that trains with data of this kind, else the first of all."""
    method = dataset.method or "supervised"
    return next((o for o in offers if method in o.base.methods), offers[0] if offers else None)


def _private(db: Database, *chosen: Dataset | None) -> list[str]:
    """What was found in the chosen files that nobody decided about yet."""
    found: Counter[str] = Counter()
    for dataset in chosen:
        if dataset is not None and held(db, dataset):
            found.update(private_classes(dataset))
    return [private_words(code, count) for code, count in found.items()]


def _newest_of_each(found: list[Dataset]) -> list[Dataset]:
    """The newest drop of each content, newest first."""
    seen: set[tuple[str, str | None]] = set()
    kept: list[Dataset] = []
    for dataset in found:
        if (dataset.name, dataset.sha256) not in seen:
            seen.add((dataset.name, dataset.sha256))
            kept.append(dataset)
    return kept


def _named(ready: list[Dataset], wanted: str) -> Dataset:
    """The dataset a call names: ``#12``, ``triage.jsonl``, ``triage.jsonl v7`` or ``triage``."""
    for dataset in ready:
        if wanted.lower() in _names_of(dataset):
            return dataset
    raise BadCall(
        "There is no checked training data of this name here.",
        "Type start without a name to choose, or drop the file in this channel.",
    )


def _names_of(dataset: Dataset) -> set[str]:
    name = dataset.name.lower()
    return {f"#{dataset.id}", name, f"{name} v{dataset.version}", name.rsplit(".", 1)[0]}


def _likeliest(ready: list[Dataset]) -> Dataset | None:
    """The newest dataset that does not look like a validation file."""
    return next((d for d in ready if not _looks_like_validation(d)), ready[0] if ready else None)


def _validation_for(dataset: Dataset, ready: list[Dataset]) -> Dataset | None:
    """What belongs to it, else the newest validation file whose name begins so, or the only one for train."""
    if dataset.validation_id is not None:
        return next((d for d in ready if d.id == dataset.validation_id), None)
    stem = dataset.name.rsplit(".", 1)[0].lower()
    others = [d for d in ready if d.id != dataset.id and _looks_like_validation(d)]
    if stem in ("train", "training") and len(others) == 1:
        return others[0]
    return next((d for d in others if d.name.lower().startswith(stem)), None)


def _looks_like_validation(dataset: Dataset) -> bool:
    return dataset.purpose == "validation" or names_validation(dataset.name)


VERB = Verb("start", "[FILE]", "starts training: opens the form", run)

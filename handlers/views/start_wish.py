"""What a person chose in the form that starts a job, and the wish that comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.views import more_settings
from handlers.views.form_values import (
    channel_of,
    checked,
    id_of,
    kept,
    metadata_of,
    number_in,
    selected,
    shown,
    ticked,
    typed,
)
from handlers.views.overlapping import OVERLAP
from storage.records import Job
from tuning.errors import StartRefused
from tuning.jobs.graders import read_grader
from tuning.jobs.start import StartRequest

NO_VALIDATION = "none"
SPLIT = "split"
AS_IS = "as_is"
REDACTED = "redacted"
NAME_WORDS = "Use up to 40 letters, digits, - and _, beginning with a letter or digit."
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
BLOCK_OF = {
    "dataset": "dataset",
    "validation": "validation",
    "leaves": "leaves",
    "base": "base",
    "name": "name",
    "epochs": "more_epochs",
    "batch": "more_batch",
    "rate": "more_rate",
    "seed": "more_seed",
    "method": "more_method",
    "beta": "more_beta",
    "grader": "grader",
    "wandb": "more_wandb",
}
"""Block id of each field that ``StartRefused.field`` may name."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen in a form that is being filled in; ``None`` where nothing is.

    ``suffix``: what stands in the name's field, ``""`` when it was emptied, ``None`` before it was shown.
    """

    channel: str
    dataset_id: int | None
    validation_id: int | None
    offer_key: str | None
    suffix: str | None
    epochs: int | None
    split: bool = False
    leaves: str = REDACTED
    more: bool = False
    method: str = ""
    typed: Mapping[str, str] = field(default_factory=dict[str, str])


def chosen(view: Mapping[str, Any]) -> Chosen:
    """What a form holds at this moment; values that make no sense yet count as nothing."""
    validation = selected(view, "validation")
    epochs = number_in(view, "more_epochs", int)
    return Chosen(
        channel=channel_of(view),
        dataset_id=id_of(selected(view, "dataset")),
        validation_id=id_of(validation),
        offer_key=selected(view, "base"),
        suffix=typed(view, "name") if shown(view, "name") else None,
        epochs=None if isinstance(epochs, str) else epochs,
        split=validation == SPLIT,
        leaves=selected(view, "leaves") or REDACTED,
        more=bool(metadata_of(view).get("more")),
        method=selected(view, "more_method") or "",
        typed=kept(view, more_settings.WORDS),
    )


def wish_of(job: Job, dataset_id: int, validation_id: int | None) -> Chosen:
    """What a job was started with, for starting it again; the data may have been dropped anew since."""
    asked = job.settings
    typed = {block: asked.get(name) for block, name in more_settings.SETTINGS.items()}
    typed = {block: str(value) for block, value in typed.items() if value is not None}
    model = asked.get("parent_model") or job.base
    settings = dict(typed)
    if asked.get("grader"):
        typed["grader"] = json.dumps(asked["grader"])
    return Chosen(
        job.channel,
        dataset_id,
        validation_id,
        f"{job.provider}|{model}",
        job.suffix,
        asked.get("epochs"),
        more=bool(settings),
        method=str(asked.get("method") or ""),
        typed=typed,
    )


def parse(view: Mapping[str, Any], user: str) -> StartRequest | dict[str, str]:
    """The wish a submitted form holds, or the errors by block id for ``response_action: errors``.

    The intent is the view's id, so that submitting twice starts one job. Nothing is asked of the store or the
    provider: what only they can know is said later, as a message.
    """
    errors: dict[str, str] = {}
    now = chosen(view)
    provider, _, base = (now.offer_key or "").partition("|")
    if now.dataset_id is None:
        errors["dataset"] = "Choose the training data."
    elif now.dataset_id == now.validation_id:
        errors["validation"] = "This is the training data itself; choose another file, or none."
    if not provider or not base:
        errors["base"] = "Choose what to train on."
    if not NAME_PATTERN.fullmatch(suffix := now.suffix or ""):
        errors["name"] = NAME_WORDS
    epochs = checked(view, "more_epochs", int, errors)
    batch = checked(view, "more_batch", int, errors)
    rate = checked(view, "more_rate", float, errors)
    seed = checked(view, "more_seed", int, errors)
    beta = checked(view, "more_beta", float, errors)
    grader = _grader(view, errors)
    if errors or now.dataset_id is None:
        return errors
    return StartRequest(
        intent=str(view["id"]),
        dataset_id=now.dataset_id,
        validation_id=now.validation_id,
        provider=provider,
        base=base,
        suffix=suffix,
        epochs=epochs,
        batch_size=batch,
        learning_rate_multiplier=rate,
        seed=seed,
        channel=now.channel,
        owner=user,
        release=now.leaves == AS_IS,
        overlap_ok=ticked(view, OVERLAP),
        method=now.method or None,
        beta=beta,
        grader=grader,
        wandb_project=typed(view, "more_wandb") or None,
    )


def _grader(view: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any] | None:
    """The grader, ``None`` where none is asked for; what is wrong with it is added to ``errors``."""
    words = typed(view, "grader")
    if not words:
        return None
    try:
        return read_grader(words)
    except StartRefused as refused:
        errors["grader"] = str(refused)
        return None

"""A person's wish to train, checked and turned into a job to be created."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from storage import datasets, jobs
from storage.errors import NotFound
from storage.records import Dataset, Job, Upload
from storage.store import Database
from tuning.datasets import Cost
from tuning.errors import StartRefused
from tuning.jobs import notices
from tuning.jobs.fitting import refuse_columns, refuse_overlap
from tuning.jobs.graders import refuse_missing_columns
from tuning.jobs.holding import held, release
from tuning.jobs.names import upload_name
from tuning.providers import Base, Profile

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One wish to train. ``intent`` is unique per wish: the same one a second time gives the same job.

    ``base``: a base of the provider, or the model of an earlier job, which is then trained further.
    ``suffix`` is the model's name without its number; ``None`` numbers are left to the provider (auto).
    ``release``: the owner lets the data leave with the private values found in it; ``overlap_ok``: and lets
    validation rows stand that are training rows too. ``method``: ``None`` for the one the data is for;
    ``beta`` is for dpo alone, ``grader`` for reinforcement alone.
    """

    intent: str
    dataset_id: int
    validation_id: int | None
    provider: str
    base: str
    suffix: str
    epochs: int | None
    batch_size: int | None
    learning_rate_multiplier: float | None
    seed: int | None
    channel: str
    owner: str
    release: bool = False
    overlap_ok: bool = False
    method: str | None = None
    beta: float | None = None
    grader: Json | None = None
    wandb_project: str | None = None


def check_numbers(request: StartRequest) -> None:
    """Refuses numbers outside of what providers take (OpenAI API description, create fine-tuning job)."""
    if request.epochs is not None and not 1 <= request.epochs <= 50:
        raise StartRefused("epochs", "Epochs is a whole number from 1 to 50, or empty for auto.")
    if request.batch_size is not None and not 1 <= request.batch_size <= 256:
        raise StartRefused("batch", "Batch size is a whole number from 1 to 256, or empty for auto.")
    rate = request.learning_rate_multiplier
    if rate is not None and not 0 < rate <= 1000:
        raise StartRefused("rate", "The learning rate multiplier is a number above 0, or empty for auto.")
    if request.seed is not None and not 0 <= request.seed < 2**31:
        raise StartRefused("seed", "Seed is a whole number from 0 to 2147483647, or empty.")
    if request.beta is not None and not 0 < request.beta <= 2:
        raise StartRefused("beta", "Beta is a number above 0, at most 2, or empty for auto.")


def check_method(request: StartRequest, training: Dataset, *, held_out: bool) -> None:
    """Refuses a method that the data is not for, and settings that belong to another method.

    ``held_out``: there will be validation rows; reinforcement needs them (OpenAI's guide to it).
    """
    method = training.method or "supervised"
    if request.method not in (None, method):
        raise StartRefused("method", f"{training.name} is data for {method}. Choose {method}, or other data.")
    if request.beta is not None and method != "dpo":
        raise StartRefused("beta", "Beta is for preference training (dpo) alone. Leave it empty.")
    if method != "reinforcement":
        return
    if request.grader is None:
        raise StartRefused("grader", "Reinforcement needs a grader: JSON that says how answers are judged.")
    refuse_missing_columns(request.grader, training.report.get("columns") or {})
    if not held_out:
        raise StartRefused(
            "validation", "Reinforcement needs validation rows. Choose a file, or split some off."
        )


def check_parent(parent: Job | None, request: StartRequest) -> None:
    """Refuses an earlier model that is none of this channel's, or that no longer is."""
    if parent is None:
        return
    if parent.channel != request.channel:
        raise StartRefused("base", f"{parent.name} belongs to another channel. Start there.")
    if parent.state != "ready":
        raise StartRefused("base", f"{parent.name} has no model to train further.")


def check_integrations(profile: Profile, request: StartRequest) -> None:
    """Refuses what the provider cannot tell its figures to."""
    if request.wandb_project and "wandb" not in profile.integrations:
        raise StartRefused("wandb", f"{profile.label} does not log to W&B. Leave this empty.")


def check_base(profile: Profile, request: StartRequest, now: float, parent: Job | None = None) -> Base:
    """The base, if it can be trained at the provider today; that of ``parent`` when it is trained further."""
    base = profile.base(parent.base if parent else request.base)
    if base is None:
        raise StartRefused(
            "base", f"{request.base} cannot be trained at {profile.label}. Choose another base."
        )
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    if base.shutdown_date is not None and base.shutdown_date <= today:
        raise StartRefused(
            "base", f"{base.label} was shut down on {base.shutdown_date}. Choose another base."
        )
    return base


def check_price(cost: Cost, most: float | None) -> None:
    """Refuses a job that would cost more than this house allows; one of unknown price is not refused."""
    if most is not None and cost.usd is not None and cost.usd > most:
        raise StartRefused(
            "base",
            f"This is about ${cost.usd:,.2f}; a job here may cost ${most:,.2f} at most.",
            "Take fewer epochs, a smaller base or less data, or ask the person who runs ftbot.",
        )


def check_suffix(profile: Profile, wanted: str) -> str:
    """The name made to fit the provider's rule; refused when nothing of it is left."""
    suffix = profile.suffix(wanted)
    if not suffix:
        raise StartRefused("name", "The name needs at least one letter (a to z) or digit.")
    return suffix


def check_fits(base: Base, training: Dataset) -> None:
    """Refuses data of a method that the base cannot be trained with."""
    method = training.method or "supervised"
    if method not in base.methods:
        raise StartRefused("base", f"{base.label} cannot be trained with {method} data. Choose another base.")


def check_datasets(db: Database, request: StartRequest, base: Base | None) -> tuple[Dataset, Dataset | None]:
    """The training and validation data, if they are ready and fit each other and the base."""
    training = _ready(db, request, request.dataset_id, "dataset")
    if base is not None:
        check_fits(base, training)
    if request.validation_id is None:
        return training, None
    validation = _ready(db, request, request.validation_id, "validation")
    if validation.sha256 == training.sha256:
        raise StartRefused(
            "validation", "These are the training rows themselves. Choose other rows, or none."
        )
    if validation.method != training.method:
        raise StartRefused("validation", "The validation file is in another format than the training file.")
    refuse_columns(training, validation)
    known = datasets.overlap_of(db, training.sha256, validation.sha256)
    refuse_overlap(known, allowed=request.overlap_ok)
    return training, validation


def _ready(db: Database, request: StartRequest, dataset_id: int, field: str) -> Dataset:
    try:
        found = datasets.get(db, dataset_id)
    except NotFound as missing:
        raise StartRefused(field, "This file is no longer here. Drop it again.") from missing
    if found.channel != request.channel:
        raise StartRefused(field, "This file was dropped in another channel. Drop it here, or start there.")
    if found.state != "ready":
        raise StartRefused(field, f"{found.title} is not ready to train. See its card for what to do.")
    if found.examining:
        raise StartRefused(
            field, f"{found.title} is still being searched for private data. A moment, please."
        )
    if held(db, found) and not request.release:
        raise StartRefused(
            "leaves",
            f"{found.title} holds private values: send the redacted copy, or decide to send it as it is.",
        )
    return found


def estimate_record(cost: Cost, base: Base, charges: bool) -> Json:
    """What is promised before the start, for ``Job.estimate``; seconds only where the pace was measured."""
    pace = base.seconds_per_1k_tokens
    return {
        "usd": cost.usd,
        "charges": charges,
        "price_per_1m": cost.price_per_1m,
        "priced_on": cost.priced_on,
        "billed_tokens": cost.billed_tokens,
        "tokens": cost.billed_tokens // max(cost.epochs, 1),
        "epochs": cost.epochs,
        "epochs_auto": cost.epochs_auto,
        "seconds": None if pace is None else cost.billed_tokens / 1000 * pace,
        "note": cost.note,
    }


def keep(
    db: Database,
    request: StartRequest,
    suffix: str,
    base: Base,
    estimate: Json,
    now: float,
    *,
    parent: Job | None = None,
) -> Job:
    """Writes the wish down: job, uploads, card and link. The same intent answers the job that is there."""
    known = jobs.by_intent(db, request.intent)
    if known is not None:
        return known
    training, validation = check_datasets(db, request, base)
    if validation is not None and request.overlap_ok:
        datasets.allow_overlap(db, training.sha256, validation.sha256, request.owner, now)
    number = jobs.next_number(db, suffix)
    job = jobs.add(db, _job(request, training, suffix, number, base, estimate, now, parent))
    for dataset in (training, validation):
        if dataset is not None and dataset.sha256 is not None:
            release(db, dataset, request.owner, now)
            name = upload_name(dataset.sha256, dataset.name)
            datasets.want_upload(db, Upload(dataset.sha256, request.provider, name, "due", now))
    notices.job_card(db, job, now)
    notices.job_link(db, job, training, now)
    return job


def _job(
    request: StartRequest,
    training: Dataset,
    suffix: str,
    number: int,
    base: Base,
    estimate: Json,
    now: float,
    parent: Job | None,
) -> Job:
    settings: Json = {
        "method": training.method or "supervised",
        "epochs": request.epochs,
        "batch_size": request.batch_size,
        "learning_rate_multiplier": request.learning_rate_multiplier,
        "seed": request.seed,
        "beta": request.beta,
        "grader": request.grader,
        "wandb_project": request.wandb_project or None,
        "parent": parent.name if parent else None,
        "parent_model": parent.fine_tuned_model if parent else None,
    }
    job = Job(
        id=0,
        intent=request.intent,
        name=f"{suffix}-{number}",
        suffix=suffix,
        number=number,
        provider=request.provider,
        base=base.model,
        dataset_id=training.id,
        channel=request.channel,
        owner=request.owner,
        state="sending",
        created_at=now,
    )
    settings = {k: v for k, v in settings.items() if v is not None}
    return replace(job, validation_id=request.validation_id, settings=settings, estimate=estimate)

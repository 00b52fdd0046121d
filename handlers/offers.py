"""What a dataset could be trained on, and for how much, at every provider that answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from statistics import median

import structlog

from handlers.house import House
from handlers.views.prices import Offer
from storage import jobs
from storage.records import Job
from tuning.errors import StartRefused, TuningError
from tuning.providers import Profile
from tuning.providers.profile import Base

log = structlog.get_logger(__name__)

BASES_SHOWN = 20
EARLIER_SHOWN = 20
LONGEST_KEY = 150
"""Characters that Slack takes as the value of a choice."""


async def first_offers(house: House, dataset_id: int) -> list[Offer]:
    """The default base of each provider, priced; a provider that does not answer is left out."""
    found = await asyncio.gather(*(_profile(house, name) for name in house.providers.names))
    bases = [(name, profile, profile.default_base) for name, profile in found if profile]
    return [
        await _offer(house, name, profile, base, dataset_id, None) for name, profile, base in bases if base
    ]


async def all_offers(house: House, dataset_id: int, epochs: int | None = None) -> list[Offer]:
    """Every base of each provider, priced for this dataset; at most 20 a provider."""
    found = await asyncio.gather(*(_profile(house, name) for name in house.providers.names))
    return [
        await _offer(house, name, profile, base, dataset_id, epochs)
        for name, profile in found
        if profile
        for base in profile.bases[:BASES_SHOWN]
    ]


async def further_offers(
    house: House, channel: str, dataset_id: int, epochs: int | None = None
) -> list[Offer]:
    """The channel's earlier models, newest first, priced for being trained further on this dataset."""
    made = await house.store.read(lambda db: jobs.with_model(db, channel, limit=EARLIER_SHOWN))
    offers = [await _further(house, job, dataset_id, epochs) for job in made]
    return [offer for offer in offers if offer is not None and len(offer.key) <= LONGEST_KEY]


async def _further(house: House, job: Job, dataset_id: int, epochs: int | None) -> Offer | None:
    if job.provider not in house.providers.names:
        return None
    profile = await profile_of(house, job.provider)
    base = profile.base(job.base) if profile else None
    if profile is None or base is None:
        return None
    offer = await _offer(house, job.provider, profile, base, dataset_id, epochs)
    return replace(offer, parent=job)


async def profile_of(house: House, provider: str) -> Profile | None:
    """What a provider can do, or ``None`` while nothing is known of it."""
    return (await _profile(house, provider))[1]


async def _profile(house: House, name: str) -> tuple[str, Profile | None]:
    try:
        profile = await house.providers.get(name).profile()
        # What jobs here made belongs to their channels, though some providers list it like a base.
        ours = await house.store.read(lambda db: jobs.tuned_models(db, name))
        return name, replace(profile, bases=tuple(base for base in profile.bases if base.model not in ours))
    except TuningError as problem:
        log.warning("provider_silent", provider=name, problem=type(problem).__name__)
        return name, None


async def _offer(
    house: House, name: str, profile: Profile, base: Base, dataset_id: int, epochs: int | None
) -> Offer:
    try:
        cost = await house.intake.prices(dataset_id, name, base.model, epochs)
    except StartRefused:
        cost = None
    if base.seconds_per_1k_tokens is None:
        base = await _paced(house, name, base)
    return Offer(name, profile, base, cost)


async def _paced(house: House, name: str, base: Base) -> Base:
    """The base with the pace of earlier jobs here, where the provider tells none."""
    paces = await house.store.read(lambda db: jobs.paces(db, name, base.model))
    return replace(base, seconds_per_1k_tokens=median(paces)) if paces else base

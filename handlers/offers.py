"""What a dataset could be trained on, and for how much, at every provider that answers."""

from __future__ import annotations

import asyncio

import structlog

from handlers.house import House
from handlers.views.prices import Offer
from tuning.errors import StartRefused, TuningError
from tuning.providers import Profile
from tuning.providers.profile import Base

log = structlog.get_logger(__name__)

BASES_SHOWN = 20


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


async def profile_of(house: House, provider: str) -> Profile | None:
    """What a provider can do, or ``None`` while nothing is known of it."""
    return (await _profile(house, provider))[1]


async def _profile(house: House, name: str) -> tuple[str, Profile | None]:
    try:
        return name, await house.providers.get(name).profile()
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
    return Offer(name, profile, base, cost)

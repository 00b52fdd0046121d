"""Which profile fits a provider: read from what ``GET /v1/models`` answers.

Our trainserver describes its bases under the extension key ``x_fine_tuning``; a list with OpenAI's own
fine-tunable snapshots is OpenAI's; anything else is shown as it is, with unknown prices.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

from tuning.datasets import Limits
from tuning.providers import reading
from tuning.providers.profile import SUFFIX, Base, Profile

Json = dict[str, Any]

PRICED_ON = "2026-11-21"
OPENAI_ENDS = "2027-01-14"


def _openai_base(model: str, label: str, price: float, methods: tuple[str, ...]) -> Base:
    return Base(
        model,
        label,
        methods,
        price_per_1m=price,
        priced_on=PRICED_ON,
        token_limit=65_536,
        encoding="o200k_base",
        exact=True,
        shutdown_date=OPENAI_ENDS,
    )


OPENAI_BASES = (
    _openai_base("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini", 5.0, ("supervised", "dpo")),
    _openai_base("gpt-4.1-2025-04-14", "gpt-4.1", 25.0, ("supervised", "dpo")),
    _openai_base("gpt-4o-mini-2024-07-18", "gpt-4o-mini", 3.0, ("supervised",)),
    _openai_base("gpt-4o-2024-08-06", "gpt-4o", 25.0, ("supervised", "dpo")),
)
"""From OpenAI's price table and deprecations page; gpt-4.1's limit is not published, 65,536 is safe."""


def last_day(model: str) -> str | None:
    """The day (``YYYY-MM-DD``) announced as the last of a base that is known from elsewhere than a list."""
    return next((base.shutdown_date for base in OPENAI_BASES if base.model == model), None)


def read_profile(name: str, models: Sequence[Json]) -> Profile:
    """The profile for a list of models (each a dict as the provider sent it)."""
    described = [m for m in models if reading.mapping(m.get("x_fine_tuning"))]
    if described:
        return _described(name, described)
    listed = {str(m.get("id")): m for m in models}
    known = tuple(_dated(base, listed[base.model]) for base in OPENAI_BASES if base.model in listed)
    if known:
        return Profile(
            name,
            "OpenAI",
            known,
            filters_metadata=True,
            responses=True,
            integrations=("wandb",),
            takes_parts=True,
        )
    return _generic(name, models)


def _dated(base: Base, model: Json) -> Base:
    shutdown = reading.text(model.get("shutdown_date"))
    return dataclasses.replace(base, shutdown_date=shutdown) if shutdown else base


def _described(name: str, models: Sequence[Json]) -> Profile:
    bases: list[Base] = []
    facts: list[Json] = []
    for model in models:
        fact = reading.mapping(model.get("x_fine_tuning"))
        if not fact.get("fine_tunable") or fact.get("parent"):
            continue  # a fine-tune could be trained further, but is no base
        facts.append(fact)
        bases.append(_described_base(str(model.get("id")), fact, reading.text(model.get("shutdown_date"))))
    first = facts[0] if facts else {}
    label = "Our trainer" if first.get("service") == "trainserver" else name
    return Profile(
        name,
        label,
        tuple(bases),
        suffix_max=reading.whole(first.get("suffix_max_length")) or 64,
        suffix_pattern=reading.text(first.get("suffix_pattern")) or SUFFIX,
        filters_metadata=first.get("filters_metadata") is True,
        charges=any(base.price_per_1m for base in bases),
        responses=first.get("responses") is True,
        integrations=_texts(first.get("integrations")),
        can_pause=first.get("can_pause") is True,
        takes_parts=reading.whole(first.get("max_upload_bytes")) is not None,
        limits=_limits(label, first),
    )


def _limits(label: str, fact: Json) -> Limits:
    """What a server says of its limits; what it leaves out is as wide as OpenAI's."""
    whole, most = reading.whole, Limits(label)
    return Limits(
        label,
        max_bytes=whole(fact.get("max_upload_bytes")) or whole(fact.get("max_file_bytes")) or most.max_bytes,
        max_examples=whole(fact.get("max_examples")),
        max_pictures=whole(fact.get("max_images_per_example")) or most.max_pictures,
        picture_bytes=whole(fact.get("max_image_bytes")) or most.picture_bytes,
        max_tools=whole(fact.get("max_tools")) or most.max_tools,
        pictures=fact.get("takes_images") is not False,
    )


def _described_base(model: str, fact: Json, shutdown: str | None) -> Base:
    return Base(
        model,
        model,
        _texts(fact.get("methods")) or ("supervised",),
        price_per_1m=reading.number(fact.get("price_per_1m_tokens")),
        token_limit=reading.whole(fact.get("max_tokens_per_example")),
        encoding=reading.text(fact.get("tokenizer")),
        shutdown_date=shutdown,
        seconds_per_1k_tokens=reading.number(fact.get("seconds_per_1k_tokens")),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in cast("list[Any]", value)) if isinstance(value, list) else ()


def _generic(name: str, models: Sequence[Json]) -> Profile:
    bases = tuple(
        Base(str(m["id"]), str(m["id"]), shutdown_date=reading.text(m.get("shutdown_date")))
        for m in models
        if m.get("id") and not str(m["id"]).startswith("ft:") and ".ft-" not in str(m["id"])
    )
    return Profile(name, name, bases, limits=Limits(name))

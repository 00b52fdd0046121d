"""What a searched menu offers: in-use first, then the newest, ten at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from handlers.house import House
from handlers.incoming import read_menu
from handlers.people import People
from handlers.rights import JOBS_OF
from handlers.text import name
from handlers.views.choices import PICK
from handlers.views.layout import option
from handlers.visible import channels_for, still_in
from storage import datasets, jobs
from storage.store import Database
from tuning.chat.service import ModelEntry

SHOWN = 10
PLACE = "place"
MODELS = frozenset({"use", "ask", "compare", "first", "second"})
Payload = dict[str, Any]


async def options(house: House, body: Payload, people: People | None = None) -> list[Payload]:
    """The options for a ``block_suggestion``; none for a menu that nobody knows, or a person turned away."""
    if people is not None and await people.refused(read_menu(body)):
        return []
    what = str(body.get("action_id", "")).removesuffix(PICK).removeprefix("form_")
    channel, typed = _channel(body), str(body.get("value") or "").strip().lower()
    user = str(cast(Payload, body.get("user") or {}).get("id", ""))
    if body.get("view") and not await still_in(house, user, channel):
        return []
    also = await channels_for(house, user, is_dm=not channel or channel.startswith("D"))
    if what == PLACE:
        found = await _places(house, user)
    elif what in MODELS:
        found = model_choices(await house.chat.models(channel, also))
    elif what in ("start", "datasets"):
        found = await house.store.read(lambda db: _datasets(db, channel))
    else:
        found = await house.store.read(lambda db: job_choices(db, channel, what, also))
    hits = [(label, value) for label, value in found if typed in label.lower()]
    return [option(name(label, 70), value) for label, value in hits[:SHOWN]]


async def _places(house: House, user: str) -> list[tuple[str, str]]:
    """The channels that a person and ftbot are both in, by name."""
    found = await house.rooms.of(house.client, user) or {}
    return sorted((f"#{label}", channel) for channel, label in found.items())


def model_choices(entries: Iterable[ModelEntry]) -> list[tuple[str, str]]:
    """Models that answer, the one in use first; the value is the name people type."""
    ready = [entry for entry in entries if entry.model is not None]
    ready.sort(key=lambda entry: not entry.in_use)
    found: list[tuple[str, str]] = []
    for entry in ready:
        words = " · in use" if entry.in_use else " · base" if entry.state == "base" else ""
        found.append((f"{entry.name}{words}", entry.name))
        found += [(f"{entry.name}@{n}", f"{entry.name}@{n}") for n in range(1, entry.checkpoints)]
    return found


def job_choices(db: Database, channel: str, verb: str, also: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Jobs of the channel that a verb can do something with, open ones first; the value is ``#id``."""
    takes = JOBS_OF.get(verb)
    return [
        (f"{job.name} · {job.state}", f"#{job.id}")
        for place in (channel, *sorted(also))
        for job in jobs.in_channel(db, place, limit=100)
        if takes is None or job.state in takes
    ]


def _datasets(db: Database, channel: str) -> list[tuple[str, str]]:
    return [(f"{d.name} v{d.version}", f"#{d.id}") for d in datasets.in_channel(db, channel)]


def _channel(body: Payload) -> str:
    place = cast(Payload, body.get("channel") or body.get("container") or {})
    channel = str(place.get("id") or place.get("channel_id") or "")
    if not channel:
        from handlers.views.form_values import channel_of

        channel = channel_of(cast(Payload, body.get("view") or {}))
    return channel

"""``datasets``: what was dropped in a channel, and where copies of it are."""

from __future__ import annotations

from handlers.answer import Answer, Call, Message
from handlers.house import House
from handlers.offers import profile_of
from handlers.verbs.verb import Verb
from handlers.views.dataset_list import Entry, datasets_list
from storage import datasets
from storage.records import Dataset
from storage.store import Database

SHOWN = 15


async def run(call: Call, house: House) -> Answer:
    """The datasets of this channel, newest first, to the caller alone."""
    return Answer(await listed(house, call.channel, call.user))


async def listed(house: House, channel: str, user: str) -> Message:
    """The list as one person sees it: with buttons where they may delete."""
    names, known = house.providers.names, await labels(house)

    def look(db: Database) -> list[Entry]:
        found = datasets.kept_in(db, channel, limit=SHOWN)
        return [
            Entry(
                dataset,
                [
                    (known[name], upload)
                    for name in names
                    if (upload := datasets.upload_of(db, dataset.sha256, name))
                ],
                may_delete(house, dataset, user),
            )
            for dataset in found
        ]

    return datasets_list(await house.store.read(look), house.command)


async def labels(house: House) -> dict[str, str]:
    """What people call each provider, by its name in the records."""
    found: dict[str, str] = {}
    for name in house.providers.names:
        profile = house.providers.get(name).last_profile or await profile_of(house, name)
        found[name] = profile.label if profile else name
    return found


def may_delete(house: House, dataset: Dataset, user: str) -> bool:
    """Only the person who dropped it, and admins."""
    return user == dataset.user or user in house.admins


VERB = Verb("datasets", "", "lists the data dropped here and where copies are, and deletes it", run)

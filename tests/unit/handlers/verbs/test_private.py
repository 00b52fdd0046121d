"""A private channel's jobs, datasets and models are invisible elsewhere, whichever verb one types."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.answer import Call
from handlers.house import House
from handlers.verbs import VERBS, dispatch
from storage import datasets, jobs
from storage.records import Checkpoint
from storage.store import Store
from tests.support.house import PlayedProviders, PlayedSlack, a_house
from tests.support.samples import NOW, TRAINER, a_dataset, a_job
from tuning.chat.service import Chat
from tuning.errors import JobNotFound
from tuning.providers import Base

PRIVATE, OTHER = "G0PRIVATE0", "C0OTHER000"
MARKS = ("classified", "ft:hidden")
"""What stands in no answer outside: the name of the data, of the job, and of the model."""
TYPED = (
    "",
    "classified-7",
    "#1",
    "classified.jsonl",
    "classified-7@1",
    "classified-7 gpt hello",
    "1",
    "ft:hidden",
    "ft:hidden:1",
    "again 1",
)


LISTED = replace(
    TRAINER, bases=(*TRAINER.bases, Base("ft:hidden", "ft:hidden"), Base("ft:hidden:1", "ft:hidden:1"))
)


class Lists(PlayedProviders):
    """A provider that lists what was trained there among what can be trained, as some do."""

    def get(self, name: str) -> Any:
        async def profile() -> Any:
            return LISTED

        return SimpleNamespace(name=name, profile=profile, last_profile=LISTED)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    store = Store(tmp_path / "ftbot.db")

    async def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("something of a private channel was touched from outside")

    async def unknown(*_: Any, **__: Any) -> Any:
        raise JobNotFound("this id")

    engine = SimpleNamespace(cancel=never, pause=never, resume=never, start=never, delete_model=never)
    engine.follow = engine.unknown_jobs = unknown
    providers = cast(Any, Lists())
    await store.write(fill)
    chat = Chat(store, providers, lambda: NOW)
    yield a_house(store, tmp_path, engine=engine, chat=chat, providers=providers)
    await store.close()


def fill(db: Any) -> None:
    kept = datasets.add(db, a_dataset(channel=PRIVATE, name="classified.jsonl", drop_id=f"{PRIVATE}:1.0:F1"))
    assert kept is not None
    datasets.add(db, a_dataset(channel=OTHER, name="open.jsonl", drop_id=f"{OTHER}:1.0:F2", sha256="cd" * 32))
    job = jobs.add(
        db,
        a_job(
            channel=PRIVATE,
            dataset_id=kept.id,
            provider="trainer",
            name="classified-7",
            suffix="classified",
            owner="U0OWNER",
            state="ready",
            fine_tuned_model="ft:hidden",
        ),
    )
    jobs.put_checkpoint(db, Checkpoint(job.id, "c1", "ft:hidden:1", 5, 1, NOW))


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("verb", sorted(VERBS))
async def test_nothing_of_a_private_channel_is_seen_or_touched_from_another(
    house: House, verb: str, typed: str
) -> None:
    for surface in ("slash", "mention"):
        call = Call(verb, typed, "U0OTHER", OTHER, None, cast(Any, surface), "trigger", False, "9.0")
        answer = await dispatch(call, house)
        said = json.dumps([answer.message.text, answer.message.blocks]) if answer else ""
        shown = json.dumps(cast(PlayedSlack, house.client).calls, default=str)
        for word in typed.split():  # what the person typed may be repeated to them
            said = said.replace(word, "")
        for mark in MARKS:
            assert mark not in said, (verb, typed, said)
            assert mark not in (shown.replace(typed, "") if typed else shown), (verb, typed)


async def test_a_job_elsewhere_is_answered_as_one_that_never_was(house: House) -> None:
    for verb, here, nowhere in (
        ("job", "classified-7", "nothing-7"),
        ("job", "#1", "#2"),
        ("use", "classified-7", "nothing-7"),
        ("use", "ft:hidden", "ft:nothing"),
        ("start", "again 1", "again 2"),
    ):
        said: list[str] = []
        for typed in (here, nowhere):
            call = Call(verb, typed, "U0OTHER", OTHER, None, "slash", "trigger", False, None)
            answer = await dispatch(call, house)
            assert answer is not None
            said.append(answer.message.text.replace(typed.split()[-1], "…"))
        assert said[0] == said[1], (verb, here)

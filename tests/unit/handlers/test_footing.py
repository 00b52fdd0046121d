"""What is true of a thread when an answer is under way."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.footing import foot_of
from handlers.house import House
from storage import chats, datasets, jobs
from storage.chat_records import ChannelModel, ChatThread, Turn
from storage.store import Store
from tests.support.samples import NOW, OPENAI, a_checkpoint, a_dataset, a_job

DAY = 86_400.0
END = 1_799_884_800.0  # 14 January 2027


class There:
    """What footing needs of a house."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = NOW
        self.bot_user_id = "U0BOT"
        self.providers = SimpleNamespace(get=lambda name: SimpleNamespace(name=name, profile=self._profile))

    def clock(self) -> float:
        return self.now

    async def _profile(self) -> Any:
        return OPENAI


@pytest.fixture
async def there(tmp_path: Path) -> AsyncGenerator[There]:
    store = Store(tmp_path / "ftbot.db")

    def fill(db: Any) -> None:
        datasets.add(db, a_dataset())
        job = jobs.add(db, a_job(state="ready", fine_tuned_model="ft:final"))
        for number, model in ((1, "ft:one"), (2, "ft:two"), (3, "ft:final")):
            jobs.put_checkpoint(db, a_checkpoint(number, 0.3, job_id=job.id, model=model))

    await store.write(fill)
    yield There(store)
    await store.close()


def thread(model: str = "ft:final", label: str = "triage-7", **changes: Any) -> ChatThread:
    return ChatThread(
        "C1", "1.1", "openai", model, label, "U1", changes.pop("created_at", NOW), job_id=1, **changes
    )


def turn(role: Any, at: float = NOW) -> Turn:
    return Turn(0, "C1", "1.1", role, "x", f"{at}{role}", at)


async def foot(there: There, of: ChatThread, *turns: Turn):
    return await foot_of(cast(House, there), of, turns)


async def test_only_a_snapshot_that_is_not_the_final_model_says_which_it_is(there: There) -> None:
    assert (await foot(there, thread("ft:two", "triage-7@2"))).checkpoint == (2, 3)
    assert (await foot(there, thread("ft:final", "triage-7@3"))).checkpoint is None
    assert (await foot(there, thread())).checkpoint is None


async def test_the_end_of_a_model_is_told_in_its_last_two_weeks(there: There) -> None:
    there.now = END - 15 * DAY
    assert (await foot(there, thread())).ends is None
    there.now = END - 9 * DAY
    assert (await foot(there, thread())).ends == ("2027-01-14", 9)


async def test_a_channel_that_moved_on_is_news_once_in_a_thread(there: There) -> None:
    choice = ChannelModel("C1", "openai", "ft:new", "triage-8", "U1", NOW + 10)
    assert (await foot(there, thread())).moved_to == ""
    await there.store.write(lambda db: chats.use(db, choice))
    assert (await foot(there, thread(), turn("assistant"))).moved_to == "triage-8"
    assert (await foot(there, thread(), turn("assistant", NOW + 20))).moved_to == ""
    assert (await foot(there, thread(created_at=NOW + 20))).moved_to == ""
    assert (await foot(there, thread("ft:new", "triage-8"))).moved_to == ""


async def test_only_the_first_answer_of_a_thread_that_goes_on_is_the_first(there: There) -> None:
    assert (await foot(there, thread(), turn("user"))).first
    assert not (await foot(there, thread(), turn("user"), turn("assistant"), turn("user"))).first
    assert not (await foot(there, thread(active=0), turn("user"))).first

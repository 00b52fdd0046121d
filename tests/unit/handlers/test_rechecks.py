"""Every button checks anew: what it speaks of belongs here, and the person may do it. None is left out."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from itertools import product
from pathlib import Path
from typing import Any, cast

import pytest

from handlers import actions, job_buttons
from handlers.dataset_buttons import DatasetButtons
from handlers.errors import HandlerError
from handlers.house import House
from handlers.incoming import Incoming
from handlers.views.choices import PICK
from handlers.views.dataset_words import MORE
from handlers.views.problems import error_message
from storage import chats, datasets, jobs, rooms
from storage.chat_records import ChannelSettings, ChatThread, Turn
from storage.errors import NotFound
from storage.records import Checkpoint, Event, InboxItem
from storage.store import Store
from tests.support.house import PlayedProviders, PlayedSlack, a_house
from tests.support.samples import NOW, a_dataset, a_job
from tuning.chat.service import Chat
from tuning.errors import JobNotFound, TuningError

ROOT = Path(__file__).parents[3]
PRIVATE, OTHER = "G0PRIVATE0", "C0OTHER000"
MARKS = ("classified", "ft:hidden", "ftjob-hidden")
OWNER, STRANGER = "U0OWNER", "U0OTHER"
ITEM = InboxItem(0, "k", None, "action", {}, 1.0)
TABLES = ("jobs", "datasets", "channel_models", "chat_threads", "turns", "votes", "channel_settings")
VALUES = (
    "1", "999", "", "good", "archive", "from-0", PRIVATE, "classified-7", "classified-7@1", "ft:hidden",
    "classified-7 hello there", "#1", "trainer|ftjob-hidden", "events|1", "delete_model_now|1", "fix:1",
    "report:1", "close:1",
)  # fmt: skip

OWNERS_ALONE = {
    "cancel", "pause", "resume", "archive", "delete_model", "delete_model_now", "dataset_delete",
    "dataset_delete_here", "dataset_delete_all", "delete_upload", "delete_upload_now",
}  # fmt: skip
"""What only the person who began it and admins may do."""
ANYBODY = {
    # pages and files for one person, or for the thread of the thing itself
    "job", "about", "about_job", "events", "metrics", "safety", "checkpoints", "results", "loss_curve",
    "report", "chart", "jobs_show", "help", "models", "settings", "follow", "dataset_keep", "feedback",
    "place_pick", "show_rows",
    # what every member of a channel may begin or choose in it; the channel is told who did
    "start", "use", "try", "ask", "compare", "mute", "score", "fix", "redact", "read_as", "release", "close",
    "add_validation", "drop_rows",
}  # fmt: skip


class Untouched:
    """A part of floor 2 that must not be asked for anything."""

    def __getattr__(self, name: str) -> Any:
        async def never(*_: Any, **__: Any) -> Any:
            raise AssertionError(f"{name} was called by somebody who may not")

        return never


class Engine(Untouched):
    """Knows no jobs of other people's."""

    async def unknown_jobs(self) -> list[Any]:
        return []

    async def follow(self, wanted: str, channel: str, user: str) -> Any:
        raise JobNotFound("this id")


def registered() -> set[str]:
    """Every action id that something is done for."""
    menu = DatasetButtons(lambda made: None)
    return set(actions.VERB_OF) | set(actions.OWN) | set(job_buttons._PAGES) | set(menu._does)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    store, providers = Store(tmp_path / "ftbot.db"), cast(Any, PlayedProviders())
    await store.write(fill)
    chat = Chat(store, providers, lambda: NOW)
    yield a_house(store, tmp_path, engine=Engine(), intake=Untouched(), chat=chat, providers=providers)
    await store.close()


def fill(db: Any) -> None:
    kept = a_dataset(channel=PRIVATE, name="classified.jsonl", drop_id=f"{PRIVATE}:1.0:F1", user=OWNER)
    datasets.add(db, kept)
    job = jobs.add(
        db,
        a_job(
            channel=PRIVATE,
            provider="trainer",
            provider_job_id="ftjob-hidden",
            name="classified-7",
            suffix="classified",
            owner=OWNER,
            state="ready",
            fine_tuned_model="ft:hidden",
        ),
    )
    jobs.put_checkpoint(db, Checkpoint(job.id, "c1", "ft:hidden:1", 5, 1, NOW))
    chats.begin(db, ChatThread(PRIVATE, "2.0", "trainer", "ft:hidden", "classified-7", OWNER, NOW, job.id))
    chats.add_turn(db, Turn(0, PRIVATE, "2.0", "assistant", "classified", "2.1", NOW))
    rooms.choose(db, ChannelSettings(PRIVATE, "normal", "You are classified.", OWNER, NOW))
    for step in (1, 2):
        figures = {"step": step, "train_loss": 3.0 / step}
        jobs.add_event(db, Event(job.id, f"e{step}", NOW, "info", "metrics", "classified", figures))


async def kept(house: House) -> dict[str, Any]:
    """All that buttons could change."""
    return await house.store.read(
        lambda db: {table: [tuple(r) for r in db.conn.execute(f"SELECT * FROM {table}")] for table in TABLES}
    )


async def click(house: House, action: str, value: str, user: str, channel: str) -> str:
    """Presses a button; answers all that was shown and said, but for what the person sent themselves."""
    clicked = Incoming(
        "action", user, channel, "3.1", "3.0", action=action, value=value, trigger_id="t",
        is_dm=channel.startswith("D"),
    )  # fmt: skip
    slack, menu = cast(PlayedSlack, house.client), DatasetButtons(lambda made: None)
    slack.calls.clear()
    said = ""
    try:
        if menu.knows(clicked):
            await menu.on_action(house, ITEM, clicked)
        else:
            await actions.on_action(house, ITEM, clicked)
    except (HandlerError, TuningError, NotFound) as problem:
        message = error_message(problem)
        said = json.dumps([message.text, message.blocks])
    shown = said + json.dumps(slack.calls, default=str)
    for word in value.split():
        shown = shown.replace(word, "")
    return shown


def test_every_button_says_who_may_press_it() -> None:
    """A new button belongs into one of the two sets: whoever adds it says which."""
    assert registered() == OWNERS_ALONE | ANYBODY
    assert not OWNERS_ALONE & ANYBODY


def test_every_button_that_is_shown_is_known() -> None:
    shown: set[str] = set()
    for source in (ROOT / "handlers").rglob("*.py"):
        text = source.read_text()
        shown |= set(re.findall(r'\bbutton\(\s*[^,()]*(?:\([^)]*\)[^,()]*)*,\s*f?"([a-z_]+)', text))
        shown |= {found.removesuffix(PICK) for found in re.findall(r'searched\("([a-z_]+)"', text)}
    known = registered() | {"place", "open"}
    assert len(shown) > 25
    assert {one for one in shown if not one.startswith("form_")} <= known


@pytest.mark.parametrize("action", sorted(registered() | {MORE, "menu", f"use{PICK}", "archive:1", "use:2"}))
async def test_a_button_from_elsewhere_shows_and_changes_nothing_of_a_private_channel(
    house: House, action: str
) -> None:
    before = await kept(house)
    for value, channel in product(VALUES, (OTHER, "D0STRANGER", "")):
        shown = await click(house, action, value, STRANGER, channel)
        for mark in MARKS:
            assert mark not in shown, (action, value, shown)
    after = await kept(house)
    if action == "use":
        after["channel_models"] = before["channel_models"]  # a base may be chosen
    assert after == before


@pytest.mark.parametrize("action", sorted(OWNERS_ALONE))
async def test_what_belongs_to_somebody_is_ended_by_nobody_else(house: House, action: str) -> None:
    states = {"resume": "paused", "cancel": "training", "pause": "training"}
    if action in states:
        await house.store.write(lambda db: jobs.change(db, 1, state=states[action]))
    before = await kept(house)
    await click(house, action, "1", STRANGER, PRIVATE)
    assert await kept(house) == before


async def test_a_button_for_what_is_gone_does_nothing(house: House) -> None:
    before = await kept(house)
    for action in sorted(registered() - {"ask"}):  # a number is a question like any other
        await click(house, action, "999", OWNER, PRIVATE)
        assert await kept(house) == before, action

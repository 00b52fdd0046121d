"""Each verb by slash command, as the person sees its answer: real programs, one trained model for all."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from demo.person import words
from handlers.verbs import VERBS
from tests.support.workspace import BASE, JOB_WAIT, WAIT, Workspace, chat_file, choose, holds, typed

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
LONG = 3000
"""Rows that keep the tiny model busy while a test pauses and cancels."""


@dataclass
class Room:
    """A channel as Jin sees it; Mina reads along."""

    place: Workspace
    channel: str
    model: str = ""

    async def say(self, text: str, expect: str, *, seconds: float = WAIT) -> Json:
        """Types a command and waits for an answer that was not there before; answers the message."""
        before = {m["ts"] for m in await self.place.jin.messages(self.channel)}
        await self.place.jin.command(self.channel, text)
        return await self.new(before, expect, seconds)

    async def new(
        self, before: set[str], expect: str, seconds: float = WAIT, pressed: Json | None = None
    ) -> Json:
        """Waits for a message that was not there before, or that came in place of the one ``pressed``."""

        def fresh(message: Json) -> bool:
            if pressed is not None and message["ts"] == pressed["ts"]:
                return words(message) != words(pressed)
            return message["ts"] not in before

        async def look() -> Json | None:
            found = await self.place.jin.messages(self.channel)
            return next((m for m in found if fresh(m) and holds(m, expect)), None)

        return await self.place.jin.wait(f"“{expect}”", look, seconds)

    async def press(self, message: Json, begins: str, expect: str) -> Json:
        """Presses the button whose words begin so, and waits for what comes of it."""
        before = {m["ts"] for m in await self.place.jin.messages(self.channel)}
        await self.place.jin.click(self.channel, message, buttons(message)[begins])
        return await self.new(before, expect, pressed=message)

    async def only_jin(self, message: Json) -> bool:
        """Whether nobody else in the channel sees it."""
        seen = await self.place.mina.messages(self.channel)
        return message.get("ephemeral") is True and message["ts"] not in {m["ts"] for m in seen}

    async def card(self, card: Json) -> str:
        """What a job's card says now."""
        return words((await self.place.jin.thread(self.channel, str(card["ts"])))[0])

    async def card_says(self, card: Json, expect: str) -> None:
        """Waits until the job's card reads so."""

        async def look() -> bool:
            return expect in await self.card(card)

        await self.place.jin.wait(f"a card with “{expect}”", look, JOB_WAIT)

    async def cancel(self, name: str) -> Json:
        """Cancels a job; answers the question that came first."""
        asked = await self.say(f"/ft cancel {name}", "Billed: ")
        await self.press(asked, next(b for b in buttons(asked) if b.startswith("Cancel")), "cancelled")
        return asked


def buttons(message: Json) -> dict[str, str]:
    """The buttons of a message: their words and their action ids."""
    found: dict[str, str] = {}
    for block in message.get("blocks", []):
        for item in [*block.get("elements", []), block.get("accessory") or {}]:
            if item.get("type") == "button":
                found[item["text"]["text"]] = item["action_id"]
    return found


async def open_room(place: Workspace) -> Room:
    room = Room(place, await place.channel())
    await place.jin.call("POST", f"channels/{room.channel}/members", json={"user": "mina"})
    return room


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def room(place: Workspace) -> Room:
    """A channel with a finished model."""
    made = await open_room(place)
    card = await place.start_job(made.channel, name="verbs")
    await place.finished(made.channel, card)
    made.model = str(card["text"]).split()[0]
    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def long_room(place: Workspace) -> Room:
    """A channel with data that takes long to train on."""
    made = await open_room(place)
    await place.drop(made.channel, "long.jsonl", chat_file(LONG, "long"))
    await place.ready(made.channel, 1)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def begun(long_room: Room) -> AsyncGenerator[tuple[Room, Json, str]]:
    """A job that was started: the room, its card and its name. What is left of it is cancelled."""
    place = long_room.place
    before = {m["ts"] for m in await place.jin.messages(long_room.channel)}
    view = await place.open_form(long_room.channel)
    answer = await place.jin.submit(view, choose(view, "dataset", "long") | typed(view, "name", "long"))
    assert answer["ok"], answer
    card = await long_room.new(before, "long-")
    name = str(card["text"]).split()[0]
    yield long_room, card, name
    if "Cancelled" not in await long_room.card(card):
        await long_room.cancel(name)


async def test_help_names_every_verb_to_the_person_who_asked(room: Room) -> None:
    said = await room.say("/ft help", "Drop a .jsonl file")
    assert all(f"/ft {name}" in words(said) for name in VERBS)
    assert await room.only_jin(said)


async def test_a_mistyped_verb_gets_the_nearest_one(room: Room) -> None:
    said = await room.say("/ft modles", "Did you mean /ft models?")
    assert await room.only_jin(said)
    await room.press(said, "Show help", "Drop a .jsonl file")


async def test_start_opens_the_form_with_the_data_of_the_channel(room: Room) -> None:
    view = await room.place.open_form(room.channel)
    assert choose(view, "dataset", "train.jsonl")
    assert view["submit"]["text"].startswith("Start")
    closed = await room.place.jin.call("POST", f"views/{view['id']}/close")
    assert closed["ok"]


async def test_jobs_lists_the_jobs_of_the_channel(room: Room) -> None:
    said = await room.say("/ft jobs", "in this channel")
    assert f"{room.model} · Ready" in words(said)
    assert await room.only_jin(said)


async def test_job_shows_one_job_with_its_data_and_what_to_do_next(room: Room) -> None:
    said = await room.say(f"/ft job {room.model}", "train.jsonl v1 · 12 examples")
    assert "Try it" in buttons(said)
    assert await room.only_jin(said)


async def test_pause_without_a_name_offers_the_jobs_and_the_card_says_paused(
    begun: tuple[Room, Json, str],
) -> None:
    room, card, name = begun
    await room.card_says(card, "Training · step")
    said = await room.say("/ft pause", "Which job shall I pause?")
    await room.press(said, next(b for b in buttons(said) if b.startswith(name)), "paused")
    await room.card_says(card, "Paused")


async def test_resume_lets_a_paused_job_go_on(begun: tuple[Room, Json, str]) -> None:
    room, card, name = begun
    await room.card_says(card, "Queued")
    await room.say(f"/ft pause {name}", "paused")
    await room.card_says(card, "Paused")
    await room.say(f"/ft resume {name}", "go")
    await room.card_says(card, "Training · step")


async def test_cancel_asks_first_and_the_thread_names_who_did_it(begun: tuple[Room, Json, str]) -> None:
    room, card, name = begun
    asked = await room.cancel(name)
    assert await room.only_jin(asked)
    await room.place.reply(room.channel, str(card["ts"]), "was cancelled", seconds=JOB_WAIT)
    await room.card_says(card, "Cancelled")


async def test_models_lists_the_tuned_model_and_its_base(room: Room) -> None:
    said = await room.say("/ft models", f"{BASE} · base")
    assert f"{room.model} · made from {BASE}" in words(said)
    assert await room.only_jin(said)


async def test_use_asks_once_then_tells_the_channel_who_changed_it_and_the_way_back(room: Room) -> None:
    await room.press(await room.say(f"/ft use {BASE}", f"Use {BASE} here?"), "Use it", BASE)
    asked = await room.say(f"/ft use {room.model}", f"Use {room.model} here?")
    assert await room.only_jin(asked)
    said = await room.press(asked, "Use it", f"{BASE} → {room.model}")
    assert not said.get("ephemeral")
    back = await room.press(said, "Go back", f"{room.model} → {BASE}")
    assert not back.get("ephemeral")


async def test_ask_posts_the_question_and_answers_under_it(room: Room) -> None:
    said = await room.say(f"/ft ask {room.model} Letter number 3", f"asks {room.model}")
    assert "Letter number 3" in words(said)
    answer = await room.place.reply(room.channel, str(said["ts"]), f"{room.model} · ")
    assert any(block["type"] == "context_actions" for block in answer["blocks"])


async def test_compare_with_names_shows_both_answers_beside_each_other(room: Room) -> None:
    said = await room.say(f"/ft compare {BASE} {room.model} Letter number 5", "compares")
    await room.card_says(said, f"{BASE} · ")
    await room.card_says(said, f"{room.model} · ")


async def test_compare_without_names_opens_a_form_whose_menus_find_models(room: Room) -> None:
    jin = room.place.jin
    await jin.command(room.channel, "/ft compare")
    view = await jin.wait("the form", jin.form, WAIT)
    for block_id in ("first", "second"):
        action = next(b for b in view["blocks"] if b["block_id"] == block_id)["element"]["action_id"]
        asked = {"view_id": view["id"], "block_id": block_id, "action_id": action, "value": "verbs"}
        found = (await jin.call("POST", "options", json=asked))["options"]
        assert found[0]["value"] == room.model
    await jin.call("POST", f"views/{view['id']}/close")


async def test_datasets_lists_what_was_dropped_here_and_where_copies_are(room: Room) -> None:
    said = await room.say("/ft datasets", "2 datasets of this channel")
    assert "train.jsonl v1" in words(said)
    assert "valid.jsonl v1" in words(said)
    assert await room.only_jin(said)


async def test_follow_brings_a_job_that_was_started_elsewhere(place: Workspace) -> None:
    here = await open_room(place)
    trainer = place.programs.running["trainserver"]
    client = AsyncOpenAI(api_key=place.programs.api_key, base_url=trainer.url)
    file = await client.files.create(
        file=("elsewhere.jsonl", chat_file(12, "far").encode()), purpose="fine-tune"
    )
    job = await client.fine_tuning.jobs.create(model=BASE, training_file=file.id, suffix="elsewhere")
    await client.close()
    said = await here.say("/ft follow", "Which job shall I bring here?")
    await here.press(said, next(b for b in buttons(said) if "elsewhere" in b or job.id in b), "elsewhere")

    async def card() -> Json | None:
        found = await place.jin.messages(here.channel)
        return next((m for m in found if holds(m, "elsewhere") and not m.get("ephemeral")), None)

    assert await place.jin.wait("the card of the job", card, WAIT)


async def test_settings_change_is_told_to_the_channel(room: Room) -> None:
    said = await room.say("/ft settings verbose", "erbose")
    assert not said.get("ephemeral")
    shown = await room.say("/ft settings", "Settings of this channel")
    assert "Verbose" in words(shown)
    assert await room.only_jin(shown)
    await room.place.jin.click(room.channel, shown, buttons(shown)["Change…"])
    view = await room.place.jin.wait("the form", room.place.jin.form, WAIT)
    closed = await room.place.jin.call("POST", f"views/{view['id']}/close")
    assert closed["ok"]

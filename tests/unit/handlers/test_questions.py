"""A question with a button is there until it is answered; the real chat and engine behind real surfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage import chats
from storage.records import Job
from tests.support.provider import BASE
from tests.support.surfaces import Surfaces
from tests.support.waiting import until
from tests.support.whole import dropped, place
from tuning.jobs import StartRequest

Json = dict[str, Any]


async def alone(slack: Surfaces, channel: str) -> list[Json]:
    """What Jin alone sees."""
    return [m for m in await slack.jin.messages(channel) if m.get("ephemeral")]


async def asked(slack: Surfaces, channel: str, words: str) -> Json:
    """The message for Jin alone that says so, once it is there."""

    async def look() -> Json | None:
        return next((m for m in await alone(slack, channel) if words in m["text"]), None)

    return await until(look)


async def press(slack: Surfaces, channel: str, message: Json) -> None:
    """Presses the first button of a message."""
    block = next(b for b in message["blocks"] if b["type"] == "actions")
    body = {"channel": channel, "message_ts": message["ts"], "block_id": block["block_id"]}
    answer = await slack.jin.ask("POST", "/actions", body | {"action_id": block["elements"][0]["action_id"]})
    assert answer["ok"], answer


async def test_use_it_goes_when_the_channel_is_told(tmp_path: Path) -> None:
    async with place(tmp_path) as (slack, _):
        room = slack.channel("tuning")
        await slack.jin.command(room, "/ft use gpt-4.1-mini")
        await press(slack, room, await asked(slack, room, "Use gpt-4.1-mini here?"))

        async def gone() -> bool:
            return not await alone(slack, room)

        await until(gone)
        (told,) = [m for m in await slack.jin.messages(room) if "now answers with" in m["text"]]
        assert not told.get("ephemeral")
        used = await slack.store.read(lambda db: chats.model_of(db, room))
        assert used is not None
        assert used.model == BASE


async def test_a_choice_of_models_goes_too(tmp_path: Path) -> None:
    async with place(tmp_path) as (slack, provider):
        provider.models = provider.models[:1]
        room = slack.channel("tuning")
        await slack.jin.command(room, "/ft use")
        await press(slack, room, await asked(slack, room, "Which model shall answer"))

        async def gone() -> bool:
            told = [m for m in await slack.jin.messages(room) if "now answers with" in m["text"]]
            return bool(told) and not await alone(slack, room)

        await until(gone)


async def test_a_use_that_fails_leaves_its_question_to_be_pressed_again(tmp_path: Path) -> None:
    async with place(tmp_path) as (slack, _):
        room = slack.channel("tuning")
        await slack.jin.command(room, "/ft use gpt-4.1-mini")
        question = await asked(slack, room, "Use gpt-4.1-mini here?")
        chat: Any = slack.house.chat
        resolve = chat.resolve

        async def refuse(*_: Any) -> Any:
            chat.resolve = resolve
            return await resolve(room, "no-such-model")

        chat.resolve = refuse
        await press(slack, room, question)
        await asked(slack, room, "There is no model no-such-model")
        assert question["ts"] in [m["ts"] for m in await alone(slack, room)]


async def started(slack: Surfaces, folder: Path) -> Job:
    data = await dropped(slack, folder)
    request = StartRequest(
        intent="V1",
        dataset_id=data.id,
        validation_id=None,
        provider="openai",
        base=BASE,
        suffix="triage",
        epochs=3,
        batch_size=None,
        learning_rate_multiplier=None,
        seed=None,
        channel=data.channel,
        owner=slack.user("jin"),
    )
    job = await slack.house.engine.start(request)
    await slack.house.engine.settle()
    return job


async def test_cancel_asks_also_after_a_choice_and_each_question_is_replaced_by_its_answer(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as (slack, provider):
        job = await started(slack, tmp_path)
        await slack.jin.command(job.channel, "/ft cancel")
        choice = await asked(slack, job.channel, "Which job shall I cancel?")
        await press(slack, job.channel, choice)
        question = await asked(slack, job.channel, "Cancel triage-1?")
        assert (question["ts"], provider.jobs[0]["status"]) == (choice["ts"], "validating_files")
        assert "Billed: " in str(question["blocks"])
        await press(slack, job.channel, question)
        done = await asked(slack, job.channel, "cancelled")
        assert done["ts"] == question["ts"]
        assert "actions" not in [b["type"] for b in done["blocks"]]
        assert len(await alone(slack, job.channel)) == 1

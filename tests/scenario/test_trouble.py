"""When Slack, the provider or the bot itself fails in the middle: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import signal

import pytest

from demo.person import words
from tests.support.workspace import JOB_WAIT, Workspace, chat_file, choose, typed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_slack_answering_429_delays_the_card_and_doubles_nothing(own_place: Workspace) -> None:
    place = own_place
    channel = await place.channel()
    await place.control(rate_limit={"method": "chat.postMessage", "seconds": 1, "times": 2})
    ts = await place.drop(channel, "train.jsonl", chat_file(12, "limited"))
    await place.reply(channel, ts, "Ready to train")
    thread = await place.jin.thread(channel, ts)
    assert len([m for m in thread[1:] if "bot_id" in m]) == 1


async def test_a_trainer_that_is_down_is_said_and_waited_for(own_place: Workspace) -> None:
    place = own_place
    channel = await place.channel()
    await place.drop(channel, "train.jsonl", chat_file(12, "down"))
    await place.ready(channel, 1)
    view = await place.open_form(channel)
    trainer = place.programs.running["trainserver"]
    port = trainer.url.split(":")[2].split("/")[0]
    trainer.process.send_signal(signal.SIGTERM)
    await trainer.process.wait()
    del place.programs.running["trainserver"]
    answer = await place.jin.submit(
        view, choose(view, "dataset", "train.jsonl") | typed(view, "name", "down")
    )
    assert answer["ok"], answer
    card = await place.root(channel, "down-1")

    async def says_so() -> bool:
        root = (await place.jin.thread(channel, str(card["ts"])))[0]
        return "No word" in words(root) or "cannot be reached" in words(root)

    await place.jin.wait("a card that says the trainer is silent", says_so, 60)
    place.programs.options["trainserver"] += ["--port", port]
    await place.programs.start_trainserver()
    await place.finished(channel, card)


@pytest.mark.long
async def test_a_bot_killed_in_a_job_posts_every_notice_once_and_in_order(own_place: Workspace) -> None:
    place = own_place
    channel = await place.channel()
    card = await place.start_job(channel, 40, name="killed")
    ts = str(card["ts"])

    async def begun() -> bool:
        return len(await place.jin.thread(channel, ts)) > 1

    await place.jin.wait("the first notice", begun, JOB_WAIT)
    bot = place.programs.running.pop("bot")
    os.kill(bot.process.pid, signal.SIGKILL)
    await bot.process.wait()
    await place.programs.start_bot()
    await place.finished(channel, card)
    thread = await place.jin.thread(channel, ts)
    said = [line for m in thread[1:] if "bot_id" in m for line in words(m).splitlines()]
    epochs = [line.split(" · ")[0] for line in said if line.startswith("Epoch ")]
    most = int(epochs[-1].split()[-1])
    assert epochs == [f"Epoch {number} of {most}" for number in range(1, most + 1)]
    ended = [line for line in said if "Safety:" in line or "is ready" in line]
    assert ["Safety:" in line for line in ended] == [True, False]
    roots = [m for m in await place.jin.messages(channel) if "killed-1" in words(m)]
    assert len(roots) == 1


async def test_a_bot_stopped_politely_ends_with_exit_code_0(own_place: Workspace) -> None:
    bot = own_place.programs.running.pop("bot")
    bot.process.terminate()
    assert await bot.process.wait() == 0

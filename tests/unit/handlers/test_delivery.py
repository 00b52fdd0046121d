"""Notices reach a real workspace once and in order, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from demo.person import words
from handlers.answer import Message
from handlers.delivery import Delivery
from handlers.posting import Desk, notices_in
from handlers.views.layout import rich
from storage import datasets, jobs, outbox
from storage.errors import StoreUnusable
from storage.records import Card, Event, Notice
from storage.rows import insert
from tests.support.outgoing import NOW, Outgoing, outgoing
from tests.support.samples import a_checkpoint


@pytest.fixture
async def out(tmp_path: Path):
    async with outgoing(tmp_path) as place:
        yield place


def desk(out: Outgoing) -> Desk:
    return Desk(
        AsyncWebClient(token=out.house.bot_token, base_url=out.house.client.base_url, retry_handlers=[])
    )


async def said(out: Outgoing, channel: str, root: str) -> list[list[str]]:
    """What the bot said in a thread: the lines of each message."""
    thread = await out.jin.thread(channel, root)
    return [words(m).splitlines() for m in thread[1:] if "bot_id" in m]


async def states(out: Outgoing, *ids: str) -> list[str]:
    kept = await out.store.read(lambda db: [outbox.get(db, one) for one in ids])
    return [one.state for one in kept if one is not None]


async def test_notices_of_a_thread_come_once_and_in_order(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    delivery = out.delivery()
    for number in range(4):
        await out.note(f"n{number}", f"word {number}", channel, thread=root)
        await out.deliver(delivery, rounds=2)
    await out.deliver(delivery)
    assert await out.texts(channel, root) == ["word 0", "word 1", "word 2", "word 3"]


async def test_notices_due_together_are_one_message_that_carries_all_ids(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    ids = [f"n{number}" for number in range(4)]
    for one in ids:
        await out.note(one, f"word of {one}", channel, thread=root)
    await out.deliver(rounds=3)
    assert await said(out, channel, root) == [[f"word of {one}" for one in ids]]
    assert await states(out, *ids) == ["sent"] * 4
    answer = await out.house.client.conversations_replies(channel=channel, ts=root, include_all_metadata=True)
    assert notices_in(cast("list[Any]", answer.get("messages"))[1]) == ids


async def test_root_messages_are_never_put_together(out: Outgoing):
    channel = out.channel()
    for number in range(2):
        await out.note(f"n{number}", f"word {number}", channel)
    await out.deliver(rounds=4)
    assert await out.texts(channel) == ["word 0", "word 1"]


async def test_after_a_crash_each_notice_of_a_message_is_recognised(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    for one in ("n1", "n2", "n3"):
        await out.note(one, f"word of {one}", channel, thread=root)
    await out.store.write(lambda db: [outbox.sending(db, one) for one in ("n1", "n2")])
    ts = await desk(out).post(channel, root, Message("both"), "n1", "n2")
    await out.deliver(rounds=3)
    assert await out.texts(channel, root) == ["both", "word of n3"]
    assert await states(out, "n1", "n2", "n3") == ["sent"] * 3
    kept = await out.store.read(lambda db: outbox.get(db, "n2"))
    assert kept is not None
    assert kept.ts == ts


async def test_a_message_of_the_version_before_is_recognised_by_its_one_id(out: Outgoing):
    channel = out.channel()
    await out.note("n1", "once", channel)
    await out.store.write(lambda db: outbox.sending(db, "n1"))
    old = {"event_type": "ftbot_notice", "event_payload": {"id": "n1"}}
    await out.house.client.chat_postMessage(channel=channel, text="once", metadata=old)
    await out.deliver()
    assert await out.texts(channel) == ["once"]


async def test_a_notice_that_cannot_be_said_holds_up_none_that_is_due_with_it(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    await out.note("n1", "first", channel, thread=root)
    riddle = Notice("n2", "riddle", channel, {"job_id": 99}, out.clock(), thread=root)
    await out.store.write(lambda db: outbox.add(db, riddle))
    await out.note("n3", "third", channel, thread=root)
    await out.deliver(rounds=5)
    assert await out.texts(channel, root) == ["first", "third"]
    assert await states(out, "n1", "n2", "n3") == ["sent", "dead", "sent"]


async def test_a_failure_keeps_a_message_of_its_own_and_only_it_is_shown_in_the_channel(out: Outgoing):
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = await out.deliver(rounds=2)
    for epoch in (1, 2):
        body = {"job_id": job.id, "epoch": epoch, "epochs": 3, "step": epoch}
        notice = Notice(f"e{epoch}", "job_epoch", channel, body, out.clock(), thread_of=job.card)
        await out.store.write(lambda db, notice=notice: outbox.add(db, notice))
    await out.tell(job, "job_failed")
    await out.deliver(delivery, rounds=3)
    card = next(m for m in await out.jin.messages(channel) if m["text"].startswith("triage-7 is"))
    told = [lines[0] for lines in await said(out, channel, card["ts"])]
    assert [line.split(" · ")[0] for line in told] == ["Epoch 1 of 3", told[1]]
    assert "triage-7 failed" in told[1]
    roots = [m["text"] for m in await out.jin.messages(channel)]
    assert not [text for text in roots if "epoch" in text]


async def test_a_card_is_edited_every_few_seconds_at_most_and_shows_the_newest_state(out: Outgoing):
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = Delivery(out.house, edit_every=3.0)
    await out.deliver(delivery, rounds=2)

    async def step(number: int) -> int:
        def keep(db: Any) -> None:
            jobs.change(db, job.id, progress={"step": number, "total_steps": 930})
            jobs.touch_card(db, job.id)

        await out.store.write(keep)
        await delivery.step()
        await delivery.settled()
        calls = (await out.jin.ask("POST", "/control", {"calls": True}))["calls"]
        return len([call for call in calls if call["method"] == "chat.update"])

    before = await step(600)
    for number in (610, 620, 630):
        out.clock.now += 0.9
        assert await step(number) == before
    out.clock.now += 0.9
    assert await step(640) == before + 1
    card = next(m for m in await out.jin.messages(channel) if m["text"].startswith("triage-7 is"))
    assert "step 640 of 930" in words(card)


async def test_more_notices_than_a_message_holds_become_several(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    for number in range(30):
        await out.note(f"n{number}", f"{number} " + "x" * 1_500, channel, thread=root)
    await out.deliver(rounds=12)
    messages = await said(out, channel, root)
    assert [line.split()[0] for lines in messages for line in lines] == [str(n) for n in range(30)]
    assert 1 < len(messages) < 30


async def test_a_message_posted_before_a_crash_is_found_and_not_said_twice(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    notice = await out.note("n1", "once", channel, thread=root)
    await out.store.write(lambda db: outbox.sending(db, "n1"))
    ts = await desk(out).post(channel, root, Message("once"), notice.id)
    await out.deliver()
    assert await out.texts(channel, root) == ["once"]
    kept = await out.store.read(lambda db: outbox.get(db, "n1"))
    assert kept is not None
    assert (kept.state, kept.ts) == ("sent", ts)


async def test_a_root_message_posted_before_a_crash_is_found_too(out: Outgoing):
    channel = out.channel()
    notice = await out.note("n1", "root", channel)
    await out.store.write(lambda db: outbox.sending(db, "n1"))
    await desk(out).post(channel, None, Message("root"), notice.id)
    await out.deliver()
    assert await out.texts(channel) == ["root"]


async def test_a_crash_before_the_post_loses_nothing(out: Outgoing):
    channel = out.channel()
    await out.note("n1", "said after all", channel)
    await out.store.write(lambda db: outbox.sending(db, "n1"))
    await out.deliver()
    assert await out.texts(channel) == ["said after all"]


async def test_an_answer_lost_on_the_wire_is_not_said_twice(out: Outgoing, monkeypatch):
    channel, lost = out.channel(), []
    real = Desk.post

    async def post(self: Desk, *args: Any, **more: Any) -> str:
        ts = await real(self, *args, **more)
        if not lost:
            lost.append(ts)
            raise aiohttp.ServerDisconnectedError
        return ts

    monkeypatch.setattr(Desk, "post", post)
    await out.note("n1", "once", channel)
    await out.note("n2", "then this", channel)
    await out.deliver(rounds=6)
    assert await out.texts(channel) == ["once", "then this"]


async def test_slack_saying_slow_down_is_obeyed_and_nothing_is_lost(out: Outgoing):
    channel = out.channel()
    await out.jin.ask(
        "POST", "/control", {"rate_limit": {"method": "chat.postMessage", "seconds": 1, "times": 2}}
    )
    await out.note("n1", "patient", channel)
    delivery = await out.deliver(rounds=1)
    kept = await out.store.read(lambda db: outbox.get(db, "n1"))
    assert kept is not None
    assert (kept.state, kept.error) == ("due", "ratelimited")
    await out.deliver(delivery, rounds=4)
    assert await out.texts(channel) == ["patient"]


async def test_a_channel_without_the_bot_is_given_up_and_holds_up_nobody(out: Outgoing):
    await out.note("lost", "never", out.channel("random"))
    await out.note("n1", "here", out.channel())
    await out.deliver()
    kept = await out.store.read(lambda db: outbox.get(db, "lost"))
    assert kept is not None
    assert (kept.state, kept.error) == ("dead", "not_in_channel")
    assert await out.texts(out.channel()) == ["here"]


async def test_a_notice_nobody_knows_is_given_up(out: Outgoing):
    notice = await out.note("n1", "x", out.channel())
    await out.store.write(
        lambda db: db.conn.execute("UPDATE outbox SET kind = 'riddle' WHERE id = ?", [notice.id])
    )
    await out.deliver()
    kept = await out.store.read(lambda db: outbox.get(db, "n1"))
    assert kept is not None
    assert kept.state == "dead"


def refuse(monkeypatch: pytest.MonkeyPatch, what: str) -> list[str]:
    """A workspace that refuses blocks with ``what`` in them; answers the methods that were refused."""
    refused: list[str] = []
    real = AsyncWebClient.api_call

    async def call(self: AsyncWebClient, method: str, **more: Any) -> Any:
        if what in str(more.get("json") or more.get("params") or more.get("data")):
            refused.append(method)
            raise SlackApiError("invalid_blocks", cast(Any, {"ok": False, "error": "invalid_blocks"}))
        return await real(self, method, **more)

    monkeypatch.setattr(AsyncWebClient, "api_call", call)
    return refused


async def test_blocks_that_slack_refuses_come_as_words(out: Outgoing, monkeypatch: pytest.MonkeyPatch):
    refused = refuse(monkeypatch, "rich_text")
    channel = out.channel()
    await desk(out).post(channel, None, Message("the words", [rich(["more words"])]), "n1")
    assert await out.texts(channel) == ["the words"]
    assert refused == ["chat.postMessage"]


async def test_where_a_workspace_has_no_plan_blocks_the_card_shows_the_plan_as_a_line(
    out: Outgoing, monkeypatch
):
    refused = refuse(monkeypatch, "task_card")
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = await out.deliver(rounds=2)
    for step in (600, 700):
        progress = {"step": step, "total_steps": 930}

        def go_on(db: Any, progress: dict[str, int] = progress) -> None:
            jobs.change(db, job.id, progress=progress)
            jobs.touch_card(db, job.id)

        await out.store.write(go_on)
        await out.deliver(delivery, rounds=2)
    (card,) = [m for m in await out.jin.messages(channel) if m["text"].startswith("triage-7 is training")]
    assert "✓ Queued 1 min  ▶ Training 75%  ○ Safety  ○ Ready" in words(card)
    assert refused == ["chat.postMessage"]  # asked once, then known


async def test_a_card_says_since_when_there_is_no_word(out: Outgoing):
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = await out.deliver(rounds=2)

    def silence(db: Any) -> None:
        jobs.change(db, job.id, progress=job.progress | {"silent": NOW})
        jobs.touch_card(db, job.id)

    await out.store.write(silence)
    await out.deliver(delivery, rounds=2)
    (card,) = [m for m in await out.jin.messages(channel) if "triage-7" in m["text"]]
    assert "No word from Our trainer since" in words(card)
    assert "Last known: step 567 of 930, epoch 2 of 3. I keep asking; the job runs without me." in words(card)


async def test_the_card_of_a_drop_is_edited_and_its_reaction_changes(out: Outgoing):
    channel = out.channel()
    dataset = await out.drop(channel, state="checking")
    delivery = await out.deliver(rounds=1)
    thread = await out.jin.thread(channel, dataset.thread)
    assert thread[1]["text"] == "Checking triage.jsonl"
    assert [r["name"] for r in thread[0]["reactions"]] == ["eyes"]

    def checked(db: Any) -> None:
        datasets.change(db, dataset.id, state="ready")
        for _ in range(3):
            outbox.touch(db, f"drop:{dataset.id}")

    await out.store.write(checked)
    await out.deliver(delivery, rounds=1)
    thread = await out.jin.thread(channel, dataset.thread)
    assert len(thread) == 2
    assert thread[1]["text"] == "Ready to train: triage.jsonl v7, 1,240 examples, no fee"
    assert [r["name"] for r in thread[0]["reactions"]] == ["white_check_mark"]
    assert await out.store.read(outbox.stale_cards) == []


async def test_after_a_restart_the_eyes_are_taken_off(out: Outgoing):
    channel = out.channel()
    dataset = await out.drop(channel, state="checking")
    await out.deliver(rounds=1)

    def refused(db: Any) -> None:
        datasets.change(db, dataset.id, state="failed", error="It is gone.")
        outbox.touch(db, f"drop:{dataset.id}")

    await out.store.write(refused)
    await out.deliver(rounds=1)
    root = (await out.jin.thread(channel, dataset.thread))[0]
    assert [r["name"] for r in root["reactions"]] == ["x"]


async def test_a_limited_edit_is_made_later(out: Outgoing):
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = await out.deliver(rounds=2)
    await out.jin.ask("POST", "/control", {"rate_limit": {"method": "chat.update", "seconds": 1, "times": 1}})

    def ready(db: Any) -> None:
        jobs.change(db, job.id, state="ready", finished_at=NOW + 60)
        jobs.touch_card(db, job.id)

    await out.store.write(ready)
    await out.deliver(delivery, rounds=1)
    assert "triage-7 is ready" not in await out.texts(channel)
    await out.deliver(delivery, rounds=2)
    assert "triage-7 is ready" in await out.texts(channel)


async def test_a_job_tells_its_story_in_the_thread_of_its_card(out: Outgoing):
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))

    def metrics(db: Any) -> None:
        for step in (1, 155, 310):
            data = {"step": step, "train_loss": 2.0 / step, "full_valid_loss": 1.0}
            jobs.add_event(db, Event(job.id, f"e{step}", NOW + step, "info", "metrics", "", data))
        jobs.put_checkpoint(db, a_checkpoint(1, 1.0, job_id=job.id))

    await out.store.write(metrics)
    await out.tell(job, "job_epoch", epoch=1, epochs=3, step=310, train_loss=0.4, valid_loss=1.0)
    await out.tell(job, "job_failed")
    delivery = await out.deliver(rounds=5)
    card = next(m for m in await out.jin.messages(channel) if m["text"].startswith("triage-7 is training"))
    thread = await out.jin.thread(channel, card["ts"])
    assert thread[1]["text"] == "triage-7: epoch 1 of 3, loss 0.40, validation 1.00"
    image = thread[1]["blocks"][-1]
    assert image["type"] == "image"
    assert "Loss" in image["title"]["text"]
    assert thread[2]["text"].startswith("triage-7 failed")
    assert any(m["text"].startswith("triage-7 failed") for m in await out.jin.messages(channel))
    await delivery.close()


async def test_a_thread_that_cannot_be_read_now_is_read_later_before_anything_is_said_twice(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    notice = await out.note("n1", "once", channel, thread=root)
    await out.store.write(lambda db: outbox.sending(db, "n1"))
    await desk(out).post(channel, root, Message("once"), notice.id)
    limit = {"method": "conversations.replies", "seconds": 1, "times": 1}
    await out.jin.ask("POST", "/control", {"rate_limit": limit})
    await out.deliver(rounds=4)
    assert await out.texts(channel, root) == ["once"]
    kept = await out.store.read(lambda db: outbox.get(db, "n1"))
    assert kept is not None
    assert kept.state == "sent"


async def test_a_link_waits_for_the_card_it_leads_to(out: Outgoing):
    channel = out.channel()
    dataset = await out.drop(channel)
    job = await out.job(channel, dataset)
    notice = Notice("link", "job_link", channel, {"job_id": job.id}, NOW, thread=dataset.thread)
    await out.store.write(lambda db: outbox.add(db, notice))
    await out.deliver(rounds=4)
    link = (await out.jin.thread(channel, dataset.thread))[-1]
    assert link["text"] == "triage-7 starts training on this file"
    assert any(part["type"] == "link" for part in link["blocks"][0]["elements"][0]["elements"])


async def touch(out: Outgoing, key: str) -> None:
    await out.store.write(lambda db: outbox.touch(db, key))


async def test_cards_that_cannot_be_rendered_hold_up_no_other(out: Outgoing, monkeypatch: pytest.MonkeyPatch):
    channel = out.channel()
    dataset = await out.drop(channel)
    good = await out.job(channel, dataset, name="good")
    delivery = await out.deliver(rounds=2)
    await touch(out, good.card)
    await out.deliver(delivery, rounds=1)
    broken = [Card(f"broken:{n}", "job_card", 1, channel, ts=f"{n}.1", dirty=1) for n in range(6)]

    async def render(house: Any, card: Card) -> Message:
        if card.key.startswith("broken"):
            raise KeyError("step")
        return Message("the newest state")

    def keep(db: Any) -> None:
        for card in broken:
            insert(db, "cards", card)
        outbox.touch(db, good.card)

    monkeypatch.setattr("handlers.delivery.render_card", render)
    await out.store.write(keep)
    await out.deliver(delivery, rounds=3)
    assert "the newest state" in await out.texts(channel)


async def test_a_disk_that_takes_nothing_is_not_asked_without_pause(
    out: Outgoing, monkeypatch: pytest.MonkeyPatch
):
    """What breaks does not wake delivery up again: it looks when its second is over."""
    await out.note("n1", "patient", out.channel())
    delivery = out.delivery()

    async def full(fn: Any) -> None:
        raise StoreUnusable("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(out.store, "write", full)
        out.store.changed.clear()
        await delivery.step()
        await delivery.settled()
        assert not out.store.changed.is_set()
    await out.deliver(delivery)
    assert await out.texts(out.channel()) == ["patient"]


async def test_an_edit_whose_answer_is_lost_is_not_taken_for_undone(out: Outgoing):
    """The state goes there and back again; what Slack took in between must not stay."""
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = await out.deliver(rounds=2)

    async def state(now: str, **changes: Any) -> None:
        def keep(db: Any) -> None:
            jobs.change(db, job.id, state=now, **changes)
            jobs.touch_card(db, job.id)

        await out.store.write(keep)
        await out.deliver(delivery, rounds=1)

    await state("training", started_at=NOW)
    before = [t for t in await out.texts(channel) if "triage-7" in t]
    lost = {"method": "chat.update", "cut": True}
    await out.jin.ask("POST", "/control", {"fail": lost})
    await state("paused")
    assert [t for t in await out.texts(channel) if "triage-7" in t] != before
    await state("training")
    assert [t for t in await out.texts(channel) if "triage-7" in t] == before


async def test_what_waits_under_a_card_that_slack_never_took_is_given_up_with_it(out: Outgoing):
    channel = out.channel()
    job = await out.job(out.channel("random"), await out.drop(channel))
    await out.tell(job, "job_failed")
    await out.tell(job, "job_cancelled")
    await out.deliver(rounds=4)
    ids = [f"job_card:{job.id}", f"job_failed:{job.id}", f"job_cancelled:{job.id}"]
    assert await states(out, *ids) == ["dead"] * 3
    assert await out.store.read(outbox.oldest_due) is None


async def test_a_long_queue_is_sent_in_order_a_few_at_a_time_and_beside_other_channels(out: Outgoing):
    channel, other = out.channel(), await out.dm()
    await out.jin.ask("POST", "/control", {"rate_limits": "off"})
    roots = [await out.jin.say(channel, "here") for _ in range(12)]
    for number in range(24):
        await out.note(f"n{number}", f"word {number}", channel, thread=roots[number % 12])
    await out.note("last", "elsewhere", other)
    delivery = out.delivery()
    await delivery.step()
    assert sorted(place.partition(":")[0] for place in delivery._under_way) == sorted([channel] * 4 + [other])
    await delivery.settled()
    assert await out.texts(other) == ["elsewhere"]
    await out.deliver(delivery, rounds=4)
    for number, root in enumerate(roots):
        assert await said(out, channel, root) == [[f"word {number}", f"word {number + 12}"]]


async def test_a_clock_that_is_set_back_delays_no_edit_and_doubles_no_notice(out: Outgoing):
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = Delivery(out.house)
    await out.deliver(delivery, rounds=2)
    root = await out.jin.say(channel, "here")
    notice = await out.note("n1", "once", channel, thread=root)
    await out.store.write(lambda db: outbox.sending(db, "n1"))
    await desk(out).post(channel, root, Message("once"), notice.id)
    await touch(out, job.card)
    await out.deliver(delivery, rounds=1)

    out.clock.now -= 86_400

    def ready(db: Any) -> None:
        jobs.change(db, job.id, state="ready", finished_at=NOW + 60)
        jobs.touch_card(db, job.id)

    await out.store.write(ready)
    await out.deliver(delivery, rounds=2)
    assert "triage-7 is ready" in await out.texts(channel)
    assert await out.texts(channel, root) == ["once"]


async def test_a_notice_written_by_a_clock_that_ran_ahead_is_found_in_its_thread(out: Outgoing):
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    out.clock.now = float(root) + 10 * 86_400
    notice = await out.note("n1", "once", channel, thread=root)
    await out.store.write(lambda db: outbox.sending(db, "n1"))
    await desk(out).post(channel, root, Message("once"), notice.id)
    out.clock.now = float(root)
    await out.deliver()
    assert await out.texts(channel, root) == ["once"]


async def test_a_card_that_was_deleted_in_slack_stops_neither_its_thread_nor_the_others(out: Outgoing):
    channel = out.channel()
    job = await out.job(channel, await out.drop(channel))
    delivery = await out.deliver(rounds=2)
    card = await out.store.read(lambda db: outbox.card(db, job.card))
    assert card is not None
    await out.house.client.chat_delete(channel=channel, ts=card.ts or "")
    await touch(out, job.card)
    await out.tell(job, "job_cancelled")
    await out.note("n1", "elsewhere", channel)
    await out.deliver(delivery, rounds=3)
    assert await out.texts(channel) == ["elsewhere"]
    assert await out.store.read(outbox.depth) == (0, 0)

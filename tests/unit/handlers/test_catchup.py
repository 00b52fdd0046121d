"""What was said while the bot was away is found once, through the same door, and called late."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest

from handlers.catchup import CatchUp
from handlers.inbox import Door
from handlers.people import People
from storage import inbox, outbox, seen
from storage.errors import StoreUnusable
from tests.support.outgoing import Outgoing, outgoing
from tests.support.surfaces import Person


class Wakeless:
    """A worker that need not work."""

    def wake(self) -> None:
        return


@pytest.fixture
async def out(tmp_path: Path) -> AsyncGenerator[Outgoing]:
    async with outgoing(tmp_path) as found:
        yield found


def door(out: Outgoing, catchup: CatchUp) -> Door:
    return Door(out.house, cast(Any, Wakeless()), catchup.saw, missed=catchup.missed)


def catching(out: Outgoing) -> CatchUp:
    """A catch-up as after a fresh start."""
    made = CatchUp(out.house)
    made.serve(door(out, made).take_late)
    return made


async def begin(out: Outgoing) -> tuple[CatchUp, str]:
    """A bot that saw one message in a channel, then nothing."""
    channel = out.channel()
    ts = await out.jin.say(channel, "before")
    out.clock.now = float(ts)
    await out.store.write(lambda db: seen.keep(db, {channel: ts}))
    catchup = catching(out)
    await catchup.load()
    return catchup, channel


async def items(out: Outgoing):
    return await out.store.read(inbox.waiting)


async def test_a_question_asked_meanwhile_is_found_once_and_called_late(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    ts = await out.jin.say(channel, "@ftbot jobs")
    await out.jin.say(channel, "nothing for the bot")
    out.clock.now += 600
    catchup.connected()
    assert await catchup.read_gaps() == 0
    assert [one.payload["text"] for one in await items(out)] == ["jobs"]
    late = await out.store.read(lambda db: outbox.get(db, f"late:{channel}:{ts}"))
    assert late is not None
    assert late.thread == ts
    assert "10 min ago" in late.body["text"]

    again = catching(out)
    await again.load()
    again.connected()
    await again.read_gaps()
    assert len(await items(out)) == 1


async def test_a_file_dropped_meanwhile_is_taken(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    ts = await out.jin.drop(channel, "train.jsonl", b"{}\n")
    out.clock.now += 7_200
    catchup.connected()
    await catchup.read_gaps()
    assert [one.kind for one in await items(out)] == ["drop"]
    late = await out.store.read(lambda db: outbox.get(db, f"late:{channel}:{ts}"))
    assert late is not None
    assert late.thread == ts
    assert "2 h ago" in late.body["text"]


async def test_a_mention_in_a_thread_under_a_new_message_is_found(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    root = await out.jin.say(channel, "new")
    await out.jin.say(channel, "@ftbot models", root)
    catchup.connected()
    await catchup.read_gaps()
    assert [one.payload["thread"] for one in await items(out)] == [root]


async def test_what_is_a_moment_old_is_not_called_late(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    ts = await out.jin.say(channel, "@ftbot jobs")
    catchup.connected()
    await catchup.read_gaps()
    assert len(await items(out)) == 1
    assert await out.store.read(lambda db: outbox.get(db, f"late:{channel}:{ts}")) is None


async def test_more_than_a_day_is_not_read(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    await out.jin.say(channel, "@ftbot jobs")
    out.clock.now += 86_400 + 60
    catchup.connected()
    await catchup.read_gaps()
    assert await items(out) == []


async def test_a_gap_stays_open_until_it_was_read(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    await out.jin.say(channel, "@ftbot jobs")
    catchup.connected()
    newer = f"{out.clock.now + 50:.6f}"
    catchup.saw({"type": "event_callback", "event": {"type": "message", "channel": channel, "ts": newer}})
    await out.jin.ask("POST", "/control", {"rate_limit": {"method": "conversations.history", "seconds": 1}})
    assert await catchup.read_gaps() > 0
    await catchup.keep()
    assert (await out.store.read(seen.all_of))[channel] < newer
    assert await catchup.read_gaps() == 0
    await catchup.keep()
    assert (await out.store.read(seen.all_of))[channel] == newer
    assert len(await items(out)) == 1


async def test_a_channel_the_bot_was_removed_from_is_forgotten(out: Outgoing) -> None:
    catchup = catching(out)
    await out.store.write(lambda db: seen.keep(db, {"C0GONE0000": "1.0"}))
    await catchup.load()
    catchup.connected()
    assert await catchup.read_gaps() == 0
    assert await out.store.read(seen.all_of) == {}


async def test_a_channel_that_was_never_heard_of_is_read_from_the_last_word_anywhere(out: Outgoing) -> None:
    """The bot was invited there while it was away, and asked at once."""
    catchup, _ = await begin(out)
    room = (await out.jin.ask("POST", "/channels", {"name": "new-room"}))["channel"]["id"]
    await out.jin.ask("POST", f"/channels/{room}/members", {"user": out.house.bot_user_id})
    await out.jin.say(room, "@ftbot jobs")
    catchup.connected()
    assert await catchup.read_gaps() == 0
    assert [one.payload["channel"] for one in await items(out)] == [room]
    await catchup.keep()
    assert room in await out.store.read(seen.all_of)


async def test_at_the_first_start_of_all_nothing_old_is_answered(out: Outgoing) -> None:
    await out.jin.say(out.channel(), "@ftbot jobs")
    out.clock.now = float(await out.jin.say(out.channel(), "@ftbot models"))
    catchup = catching(out)
    await catchup.load()
    catchup.connected()
    assert await catchup.read_gaps() == 0
    assert await items(out) == []
    ts = await out.jin.say(out.channel(), "@ftbot help")
    out.clock.now = float(ts)
    catchup.connected()  # the connection broke before anything arrived
    await catchup.read_gaps()
    assert [one.payload["text"] for one in await items(out)] == ["help"]


async def test_what_slack_left_out_because_there_was_too_much_is_read(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    await out.jin.say(channel, "@ftbot jobs")
    catchup.saw({"type": "app_rate_limited", "minute_rate_limited": 1})
    await catchup.read_gaps()
    assert [one.payload["channel"] for one in await items(out)] == [channel]


def payload(channel: str, ts: str, text: str) -> dict[str, Any]:
    event = {"type": "message", "user": "U1", "channel": channel, "ts": ts, "text": text}
    return {"type": "event_callback", "event_id": f"Ev{ts}", "event": event}


async def test_what_a_full_disk_did_not_take_is_read_when_slack_has_given_up(
    out: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack repeats for six minutes; the next message was taken, so nothing tells of the one before."""
    catchup, channel = await begin(out)
    way_in = door(out, catchup)
    lost, taken = [await out.jin.say(channel, f"@ftbot {verb}") for verb in ("jobs", "models")]
    named = f"<@{out.house.bot_user_id}>"

    async def full(fn: Any) -> None:
        raise StoreUnusable("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(out.store, "write", full)
        with pytest.raises(StoreUnusable):
            await way_in.keep(payload(channel, lost, f"{named} jobs"))
        assert await catchup.read_gaps() > 0
    await way_in.keep(payload(channel, taken, f"{named} models"))
    assert await catchup.read_gaps() == 0
    assert [one.payload["text"] for one in await items(out)] == ["models", "jobs"]


async def test_what_was_lost_before_a_payload_that_was_not_taken_is_read_too(out: Outgoing) -> None:
    catchup, channel = await begin(out)
    await out.jin.say(channel, "@ftbot models")  # lost with the connection, of which nothing is known yet
    out.clock.now = float(await out.jin.say(channel, "@ftbot jobs")) + 60
    catchup.missed(payload(channel, f"{out.clock.now:.6f}", "@ftbot help"))
    catchup.connected()
    await catchup.read_gaps()
    assert [one.payload["text"] for one in await items(out)] == ["models", "jobs"]


async def test_a_connection_that_breaks_while_the_history_is_read_is_made_up_for(
    out: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    catchup, _ = await begin(out)
    real = catchup._read

    async def read(channel: str, since: str) -> None:
        await real(channel, since)
        monkeypatch.undo()
        await out.jin.say(channel, "@ftbot jobs")  # while nobody listens
        catchup.connected()

    monkeypatch.setattr(catchup, "_read", read)
    catchup.connected()
    await catchup.read_gaps()
    await catchup.read_gaps()
    assert [one.payload["text"] for one in await items(out)] == ["jobs"]


async def test_a_channel_that_is_gone_while_the_disk_is_full_ends_nothing(
    out: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    catchup = catching(out)
    await out.store.write(lambda db: seen.keep(db, {"C0GONE0000": "1.0"}))
    await catchup.load()
    catchup.connected()

    async def full(fn: Any) -> None:
        raise StoreUnusable("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(out.store, "write", full)
        assert await catchup.read_gaps() > 0
    assert await catchup.read_gaps() == 0
    assert await out.store.read(seen.all_of) == {}


async def test_who_is_turned_away_is_not_told_in_the_thread_that_an_answer_comes(out: Outgoing) -> None:
    await out.jin.ask("POST", "/people", {"name": "guest", "guest": True})
    await out.jin.ask("POST", "/channels/tuning/members", {"user": "guest"})
    catchup, channel = await begin(out)
    people = People(out.house)
    catchup.serve(Door(out.house, cast(Any, Wakeless()), people=people).take_late)
    guest = Person(out.jin._session, out.jin._base, "guest")
    said = [await person.say(channel, "@ftbot jobs") for person in (guest, out.jin)]
    out.clock.now += 600
    catchup.connected()
    assert await catchup.read_gaps() == 0
    assert len(await items(out)) == 2
    late = await out.store.read(lambda db: [outbox.get(db, f"late:{channel}:{ts}") for ts in said])
    assert [one is not None for one in late] == [False, True]

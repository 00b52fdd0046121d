"""Handling what lies in the inbox: in order, again after a fault, never lost."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from handlers import worker as working
from handlers.incoming import Incoming
from handlers.worker import Worker, lane
from storage import inbox
from storage.errors import StoreUnusable
from storage.records import InboxItem
from storage.store import Store
from tests.support.waiting import until
from tuning.errors import Unreachable


def said(text="hello", ts="1.1", **changes):
    fields: dict[str, Any] = {
        "kind": "message",
        "user": "U1",
        "channel": "C1",
        "text": text,
        "mentioned": True,
    }
    given: dict[str, Any] = {**fields, "ts": ts, **changes}
    return Incoming(**given)


async def put(store, incoming, key):
    item = InboxItem(0, key, None, incoming.kind, incoming.payload(), 1.0)
    return await store.write(lambda db: inbox.put(db, item))


class Room:
    """A worker over a real store; ``told`` is what people were told."""

    def __init__(self, store, monkeypatch):
        self.store = store
        self.told = []
        self.seen = []
        self.house = SimpleNamespace(store=store, command="/ft")
        self.worker = Worker(cast(Any, self.house))

        async def tell(house, to, message):
            self.told.append(message.text)

        monkeypatch.setattr(working.reply, "tell", tell)
        monkeypatch.setattr(working, "WAITS", (0.0, 0.0))

    async def state(self, item_id):
        return (await self.store.read(lambda db: inbox.get(db, item_id))).state


@pytest.fixture
async def room(tmp_path, monkeypatch):
    store = Store(tmp_path / "ftbot.db")
    found = Room(store, monkeypatch)
    yield found
    await found.worker.close()
    await store.close()


@pytest.fixture
async def start(room):
    tasks = []

    def begin(handle):
        room.worker.serve({"message": handle})
        tasks.append(asyncio.create_task(room.worker.run()))

    yield begin
    await room.worker.close()
    await asyncio.gather(*tasks)


async def test_things_of_one_thread_are_handled_in_order_and_others_do_not_wait(room, start):
    hold = asyncio.Event()

    async def handle(house, item, incoming):
        if incoming.text == "slow":
            await hold.wait()
        room.seen.append(incoming.text)

    for at, (text, thread) in enumerate([("slow", "1.0"), ("second", "1.0"), ("other", "2.0")]):
        await put(room.store, said(text, f"{at + 3}.0", thread=thread), str(at))
    start(handle)
    await until(lambda: room.seen == ["other"])
    hold.set()
    await until(lambda: room.seen == ["other", "slow", "second"])


async def test_a_fault_that_passes_is_tried_again(room, start):
    async def handle(house, item, incoming):
        room.seen.append(incoming.text)
        if len(room.seen) < 3:
            raise Unreachable("network", None, "No answer.")

    item = await put(room.store, said(), "1")
    start(handle)

    async def done():
        return await room.state(item) == "done"

    await until(done)
    assert (len(room.seen), room.told) == (3, [])


async def test_after_three_tries_the_person_is_told(room, start):
    async def handle(house, item, incoming):
        raise Unreachable("network", None, "The provider does not answer.")

    item = await put(room.store, said(), "1")
    start(handle)

    async def failed():
        return await room.state(item) == "failed"

    await until(failed)
    assert room.told == ["The provider does not answer."]


async def test_what_was_left_over_is_taken_up_at_the_start(room, start):
    async def handle(house, item, incoming):
        room.seen.append(incoming.text)

    await put(room.store, said("left"), "1")
    start(handle)
    await until(lambda: room.seen == ["left"])
    await put(room.store, said("new", "2.1"), "2")
    room.worker.wake()
    await until(lambda: room.seen == ["left", "new"])


async def test_what_is_broken_off_at_the_end_stays_for_the_next_start(room, start, monkeypatch):
    monkeypatch.setattr(working, "GRACE", 0.01)
    begun = asyncio.Event()

    async def handle(house, item, incoming):
        begun.set()
        await asyncio.Event().wait()

    item = await put(room.store, said(), "1")
    start(handle)
    await begun.wait()
    await room.worker.close()
    assert await room.state(item) == "new"


async def test_an_apology_that_is_lost_on_the_way_leaves_nobody_waiting_behind_it(room, start, monkeypatch):
    async def silent(house, to, message):
        raise aiohttp.ServerDisconnectedError

    async def handle(house, item, incoming):
        room.seen.append(incoming.text)
        if incoming.text == "broken":
            raise ValueError

    monkeypatch.setattr(working.reply, "tell", silent)
    broken = await put(room.store, said("broken", "2.0", thread="1.0"), "1")
    await put(room.store, said("next", "3.0", thread="1.0"), "2")
    start(handle)
    await until(lambda: room.seen == ["broken", "next"])
    assert await room.state(broken) == "failed"


async def test_a_fault_in_the_apology_itself_leaves_nobody_waiting_behind_it(room, start, monkeypatch):
    async def handle(house, item, incoming):
        room.seen.append(incoming.text)
        if incoming.text == "broken":
            raise ValueError

    monkeypatch.setattr(working.reply, "apology", lambda *_: 1 / 0)
    await put(room.store, said("broken", "2.0", thread="1.0"), "1")
    await put(room.store, said("next", "3.0", thread="1.0"), "2")
    start(handle)
    await until(lambda: room.seen == ["broken", "next"])


async def test_what_a_full_disk_did_not_take_is_marked_when_there_is_room_again(room, start, monkeypatch):
    """Without a restart, and without being answered again."""
    real, full = room.store.write, [True]

    async def write(fn):
        if full[0] and room.seen:
            raise StoreUnusable("The disk is full.")
        return await real(fn)

    async def handle(house, item, incoming):
        room.seen.append(incoming.text)

    monkeypatch.setattr(working, "DISK_WAIT", 0.01)
    item = await put(room.store, said(), "1")
    monkeypatch.setattr(room.store, "write", write)
    start(handle)
    await until(lambda: room.seen)
    full[0] = False

    async def done():
        return await room.state(item) == "done"

    await until(done)
    assert room.seen == ["hello"]


async def test_a_disk_that_cannot_be_read_for_a_moment_ends_nothing(room, start, monkeypatch):
    real, refused = room.store.read, []

    async def read(fn):
        if not refused:
            refused.append(fn)
            raise StoreUnusable("The disk cannot be read.")
        return await real(fn)

    async def handle(house, item, incoming):
        room.seen.append(incoming.text)

    monkeypatch.setattr(working, "DISK_WAIT", 0.01)
    await put(room.store, said(), "1")
    monkeypatch.setattr(room.store, "read", read)
    start(handle)
    await until(lambda: room.seen == ["hello"])


async def test_a_handler_that_met_a_full_disk_is_called_again_when_there_is_room(room, start, monkeypatch):
    async def handle(house, item, incoming):
        room.seen.append(incoming.text)
        if len(room.seen) == 1:
            raise StoreUnusable("The disk is full.")

    item = await put(room.store, said(), "1")
    start(handle)

    async def done():
        return await room.state(item) == "done"

    await until(done)
    assert (len(room.seen), room.told) == (2, [])


@pytest.mark.parametrize("stop", [said("stop", thread="1.0"), said(kind="stop", thread="1.0")])
async def test_a_stop_waits_for_no_room(room, monkeypatch, stop):
    """All room is taken by answers that do not end; one of them is to be stopped."""
    hold = asyncio.Event()

    async def handle(house, item, incoming):
        if incoming.stops or incoming.kind == "stop":
            hold.set()
        await hold.wait()
        room.seen.append(incoming.text)

    monkeypatch.setattr(room.worker, "_room", asyncio.Semaphore(1))
    room.worker.serve({"message": handle, "stop": handle})
    await put(room.store, said("endless", "1.0"), "1")
    running = asyncio.create_task(room.worker.run())
    await until(lambda: room.worker._room.locked())
    await put(room.store, stop, "2")
    room.worker.wake()
    await until(lambda: len(room.seen) == 2)
    await room.worker.close()
    await running


async def test_telling_people_that_they_wait_takes_none_of_their_time(room, start, monkeypatch):
    """Slack takes some sixty such words a minute; hundreds of people may wait."""
    hold, telling = asyncio.Event(), asyncio.Event()

    async def tell(house, to, message):
        telling.set()
        await asyncio.Event().wait()

    async def handle(house, item, incoming):
        await hold.wait()
        room.seen.append(incoming.text)

    monkeypatch.setattr(working.reply, "tell", tell)
    monkeypatch.setattr(working, "BUSY_AFTER", 0.01)
    monkeypatch.setattr(room.worker, "_room", asyncio.Semaphore(1))
    for number in range(3):
        await put(room.store, said(str(number), f"{number}.1"), str(number))
    start(handle)
    await telling.wait()
    hold.set()
    await until(lambda: sorted(room.seen) == ["0", "1", "2"])


async def test_work_that_says_one_last_word_after_the_other_does_not_hold_up_the_end(
    room, start, monkeypatch
):
    """A Slack that does not answer swallows each of them."""
    monkeypatch.setattr(working, "GRACE", 0.01)
    monkeypatch.setattr(working, "LAST_WORDS", 0.05)
    begun, never = asyncio.Event(), asyncio.Event()

    async def handle(house, item, incoming):
        begun.set()
        try:
            await never.wait()
        finally:
            try:
                room.seen.append("stopped here")
                await never.wait()
            finally:
                room.seen.append("no longer busy")
                await never.wait()

    item = await put(room.store, said(), "1")
    start(handle)
    await begun.wait()
    async with asyncio.timeout(30):
        await room.worker.close()
    assert room.seen == ["stopped here", "no longer busy"]
    assert await room.state(item) == "new"


async def test_no_more_than_so_many_things_are_held_in_memory_and_all_are_handled(room, start, monkeypatch):
    most, at_once = [0], [0, 0]

    async def handle(house, item, incoming):
        at_once[0] += 1
        at_once[1] = max(at_once)
        most[0] = max(most[0], room.worker.held)
        await asyncio.sleep(0)
        at_once[0] -= 1
        room.seen.append(incoming.text)

    monkeypatch.setattr(working, "HELD", 5)
    monkeypatch.setattr(room.worker, "_room", asyncio.Semaphore(2))
    for number in range(20):
        await put(room.store, said(str(number), f"{number}.1"), str(number))
    start(handle)
    await until(lambda: len(room.seen) == 20)
    assert (most, at_once[1]) == ([5], 2)


async def test_what_another_version_kept_in_the_inbox_stops_nothing(room, start):
    async def handle(house, item, incoming):
        room.seen.append(incoming.text)

    payload = said("old").payload() | {"colour": "blue"}
    await room.store.write(lambda db: inbox.put(db, InboxItem(0, "1", None, "message", payload, 1.0)))
    start(handle)
    await until(lambda: room.seen == ["old"])


def test_stop_does_not_wait_behind_the_answer_it_stops():
    assert lane(said("stop", thread="1.0")) != lane(said("go on", thread="1.0"))
    assert lane(said("one", "1.0")) == lane(said("two", "2.0", thread="1.0"))
    assert lane(said("one", "1.0")) == lane(said("two", "1.0", kind="chat"))

"""The inbox: each payload is handled once."""

from __future__ import annotations

from storage import inbox
from storage.records import InboxItem
from storage.store import Store


def item(key: str, content_key: str | None = None) -> InboxItem:
    return InboxItem(0, key, content_key, "event", {"n": 1}, 1.0)


async def test_a_payload_delivered_again_is_dropped_by_its_key_or_its_content(store: Store) -> None:
    first = await store.write(lambda db: inbox.put(db, item("Ev1", "message:C1:1.1")))
    same = await store.write(lambda db: inbox.put(db, item("Ev1", "message:C1:1.2")))
    twin = await store.write(lambda db: inbox.put(db, item("Ev2", "message:C1:1.1")))
    other = await store.write(lambda db: inbox.put(db, item("Ev3")))
    plain = await store.write(lambda db: inbox.put(db, item("Ev4")))
    assert first
    assert other
    assert plain
    assert (same, twin) == (0, 0)


async def test_what_is_done_is_forgotten_but_still_known(store: Store) -> None:
    row = await store.write(lambda db: inbox.put(db, item("Ev1")))
    await store.write(lambda db: inbox.done(db, row))
    assert await store.read(inbox.waiting) == []
    done = await store.read(lambda db: inbox.get(db, row))
    assert done is not None
    assert (done.state, done.payload) == ("done", {})
    assert await store.write(lambda db: inbox.put(db, item("Ev1"))) == 0


async def test_a_failed_try_waits_for_another_until_it_is_final(store: Store) -> None:
    row = await store.write(lambda db: inbox.put(db, item("Ev1")))
    await store.write(lambda db: inbox.tried(db, row, "broke", final=False))
    assert [i.attempts for i in await store.read(inbox.waiting)] == [1]
    await store.write(lambda db: inbox.tried(db, row, "broke", final=True))
    assert await store.read(inbox.waiting) == []


async def test_what_was_given_up_keeps_no_text(store: Store) -> None:
    known = await store.write(lambda db: inbox.put(db, item("k")))
    await store.write(lambda db: inbox.tried(db, known, "Unreachable", final=True))
    kept = await store.read(lambda db: inbox.get(db, known))
    assert kept is not None
    assert (kept.state, kept.payload, kept.attempts) == ("failed", {}, 1)


async def test_only_what_was_handled_long_ago_is_forgotten(store: Store) -> None:
    old, waits = [await store.write(lambda db, k=key: inbox.put(db, item(k))) for key in ("old", "waits")]
    await store.write(lambda db: inbox.done(db, old))
    assert await store.write(lambda db: inbox.forget(db, 1.0)) == 0
    assert await store.write(lambda db: inbox.forget(db, 40.0)) == 1
    assert [one.id for one in await store.read(inbox.waiting)] == [waits]

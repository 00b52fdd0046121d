"""The outbox: in order within a thread, each once, and cards that know whether they show the truth."""

from __future__ import annotations

from typing import Any

from storage import outbox
from storage.records import Card, Notice
from storage.store import Store


def notice(name: str, **fields: Any) -> Notice:
    values: dict[str, Any] = {"id": name, "kind": "note", "channel": "C1", "body": {}, "created_at": 1.0}
    return Notice(**(values | fields))


async def put(store: Store, *notices: Notice) -> None:
    for one in notices:
        await store.write(lambda db, one=one: outbox.add(db, one))


async def due(store: Store, now: float = 10.0) -> list[str]:
    return [n.id for n in await store.read(lambda db: outbox.due(db, now))]


async def test_only_the_oldest_of_a_thread_goes_out_and_threads_do_not_wait_for_each_other(
    store: Store,
) -> None:
    await put(store, notice("a1", thread="1"), notice("a2", thread="1"), notice("b1", thread="2"))
    assert await due(store) == ["a1", "b1"]
    first = await store.read(lambda db: outbox.get(db, "a1"))
    assert first is not None
    await store.write(lambda db: outbox.sent(db, first, "9.9"))
    assert await due(store) == ["a2", "b1"]


async def test_a_notice_that_must_wait_holds_its_thread_back(store: Store) -> None:
    await put(store, notice("a1", thread="1"), notice("a2", thread="1"))
    await store.write(lambda db: outbox.sending(db, "a1"))
    await store.write(lambda db: outbox.later(db, "a1", 20.0, "429", untouched=True))
    assert await due(store) == []
    assert await store.read(outbox.next_due_at) == 0.0
    assert await due(store, 21.0) == ["a1"]
    kept = await store.read(lambda db: outbox.get(db, "a1"))
    assert kept is not None
    assert (kept.state, kept.attempts, kept.error) == ("due", 1, "429")


async def test_after_a_lost_answer_the_notice_stays_uncertain(store: Store) -> None:
    await put(store, notice("a1"))
    await store.write(lambda db: outbox.sending(db, "a1"))
    await store.write(lambda db: outbox.later(db, "a1", 5.0, "time-out", untouched=False))
    kept = await store.read(lambda db: outbox.get(db, "a1"))
    assert kept is not None
    assert kept.state == "sending"


async def test_a_dead_notice_lets_the_next_one_through_and_stays_on_record(store: Store) -> None:
    await put(store, notice("a1", thread="1"), notice("a2", thread="1"))
    await store.write(lambda db: outbox.dead(db, "a1", "channel_not_found"))
    assert await due(store) == ["a2"]
    kept = await store.read(lambda db: outbox.get(db, "a1"))
    assert kept is not None
    assert kept.state == "dead"


async def test_the_same_notice_twice_is_one(store: Store) -> None:
    await put(store, notice("a1", body={"n": 1}), notice("a1", body={"n": 2}))
    assert [n.body for n in await store.read(lambda db: outbox.of_kind(db, "note"))] == [{"n": 1}]


async def test_a_reply_under_a_card_waits_until_the_card_stands(store: Store) -> None:
    root = notice("root", card="job:1")
    await store.write(lambda db: outbox.add(db, root, Card("job:1", "job_card", 1, "C1")))
    await put(store, notice("reply", thread_of="job:1"))
    assert await due(store) == ["root"]
    await store.write(lambda db: outbox.sent(db, root, "5.5"))
    assert await due(store) == ["reply"]
    card = await store.read(lambda db: outbox.card(db, "job:1"))
    assert card is not None
    assert card.ts == "5.5"


async def test_a_card_changed_while_it_is_edited_is_edited_again(store: Store) -> None:
    root = notice("root", card="job:1")
    await store.write(lambda db: outbox.add(db, root, Card("job:1", "job_card", 1, "C1")))
    await store.write(lambda db: outbox.touch(db, "job:1"))
    assert await store.read(outbox.stale_cards) == []  # not posted yet: it will be posted with the truth
    await store.write(lambda db: outbox.sent(db, root, "5.5"))
    await store.write(lambda db: outbox.touch(db, "job:1"))
    (shown,) = await store.read(outbox.stale_cards)
    await store.write(lambda db: outbox.touch(db, "job:1"))
    await store.write(lambda db: outbox.edited(db, shown, 7.0))
    (again,) = await store.read(outbox.stale_cards)
    assert (again.dirty, again.edited_at) == (1, 7.0)
    await store.write(lambda db: outbox.edited(db, again, 8.0))
    assert await store.read(outbox.stale_cards) == []


async def test_what_waits_under_a_card_that_was_given_up_is_let_through_to_be_given_up_too(
    store: Store,
) -> None:
    root = notice("root", card="job:1")
    await store.write(lambda db: outbox.add(db, root, Card("job:1", "job_card", 1, "C1")))
    await put(store, notice("reply", thread_of="job:1"))
    await store.write(lambda db: outbox.dead(db, "root", "is_archived"))
    assert await due(store) == ["reply"]


async def test_a_clock_that_was_set_back_holds_nothing_up(store: Store) -> None:
    await put(store, notice("a1"))
    await store.write(lambda db: outbox.later(db, "a1", 100_000.0, "429", untouched=True))
    assert await due(store, 99_999.0) == []
    assert await due(store, 10.0) == ["a1"]


async def test_thousands_that_wait_after_an_outage_are_looked_through_in_one_go(store: Store) -> None:
    """Counted in steps of SQLite, not in time: twice as many take about twice the work."""

    def work(many: int) -> int:
        steps = [0]

        def count() -> int:
            steps[0] += 1
            return 0

        db = store._reader_db
        db.conn.set_progress_handler(count, 100)
        assert len(outbox.due(db, 10.0)) == many
        db.conn.set_progress_handler(None, 0)
        return steps[0]

    def fill(db: Any, first: int, last: int) -> None:
        for number in range(first, last):
            outbox.add(db, notice(f"n{number}", thread=str(number)))

    await store.write(lambda db: fill(db, 0, 300))
    once = work(300)
    await store.write(lambda db: fill(db, 300, 600))
    assert work(600) < 3 * once

"""The way out: every notice once, in order, in its thread; every card edited to the present truth.

A notice is marked *sending* before it is posted: after a crash, or when no answer came, the thread is read
for its id before anything is posted again. A refusal is certain and needs no reading.
Notices of one thread that are due together are one message, which carries the ids of all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import Message
from handlers.bundling import with_those_behind
from handlers.errors import DeliveryFailed, NotYet
from handlers.house import House
from handlers.incoming import parts_of
from handlers.meters import NOTICE_LAG, NOTICES_DEAD
from handlers.posting import FOREVER, UNKNOWN, Desk, certain
from handlers.rendering import Rendered, render_card
from handlers.slackapi import LONGEST_WAIT, code_of, limited, retry_after
from handlers.slackclient import PacedClient
from handlers.views.drop_card import EYES, reaction
from storage import datasets, outbox
from storage.errors import NotFound, StoreClosed, StoreError, StoreUnusable
from storage.records import Card, Dataset, Notice
from storage.store import Database

log = structlog.get_logger(__name__)

LOOK_EVERY = 1.0
"""Seconds after which the outbox is looked at even when nothing was written."""
LONGEST_BACKOFF = 300.0
CLOCK_SLACK = 600.0
"""Seconds that our clock and Slack's may differ when a thread is read for a lost message."""
EDITS_AT_ONCE = 4
"""Cards edited at the same time; the others wait and are shown as they are then."""
SENDS_AT_ONCE = 4
"""Threads of one channel that are posted to at the same time: Slack takes a message a second there. What
waits is not marked *sending*, so that a crash in a long queue leaves little to look for."""
SHOWN = 2_000
"""Cards whose message is remembered, so that an edit which changes nothing is spared."""
ODD_TRIES = 5
"""Tries of a notice that fails inside ftbot, before it is given up."""


class Delivery:
    """Sends the outbox until it is cancelled."""

    def __init__(
        self,
        house: House,
        *,
        client: AsyncWebClient | None = None,
        edit_every: float = 3.0,
    ) -> None:
        """``edit_every``: seconds between edits of one card. The client keeps Slack's limits."""
        self._house = house
        self._desk = Desk(client or _own_client(house))
        self._edit_every = edit_every
        self._no_edit_before = 0.0
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._shown: dict[str, Message] = {}

    async def run(self) -> None:
        """Works until it is cancelled; a notice that is being posted then is looked for at the next start."""
        store = self._house.store
        try:
            while True:
                store.changed.clear()
                await self._step_calmly()
                try:
                    async with asyncio.timeout(LOOK_EVERY):
                        await store.changed.wait()
                except TimeoutError:
                    continue
        except StoreClosed:
            log.info("delivery_ends")
        finally:
            await self.close()

    async def close(self) -> None:
        """Stops what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _step_calmly(self) -> None:
        try:
            await self.step()
        except StoreUnusable as problem:
            log.error("outbox_unreadable", problem=str(problem))

    async def step(self) -> None:
        """Begins to send all that is due now and to edit the cards that are stale; one task a thread."""
        now = self._house.clock()
        busy = Counter(place.partition(":")[0] for place in self._under_way)
        for notice in await self._house.store.read(lambda db: outbox.due(db, now)):
            place = f"{notice.channel}:{notice.thread_of or notice.thread or ''}"
            if busy[notice.channel] < SENDS_AT_ONCE and self._begin(place, notice):
                busy[notice.channel] += 1
        if now < self._no_edit_before <= now + LONGEST_WAIT:
            return
        for card in await self._house.store.read(outbox.stale_cards):
            if busy["card"] >= EDITS_AT_ONCE:
                break  # rendered as late as possible, so that what goes out is the newest state
            rests = 0 <= now - card.edited_at < self._edit_every  # else the clock was set back
            if not rests and self._begin(f"card:{card.key}", card):
                busy["card"] += 1

    async def settled(self) -> None:
        """Waits until nothing is under way."""
        while self._under_way:
            await asyncio.wait(list(self._under_way.values()))
            await asyncio.sleep(0)

    def _begin(self, place: str, what: Notice | Card) -> bool:
        if place in self._under_way:
            return False
        work = self._send(what) if isinstance(what, Notice) else self._edit(what)
        task = asyncio.create_task(work)
        self._under_way[place] = task
        task.add_done_callback(lambda done: self._ended(place, done))
        return True

    def _ended(self, place: str, task: asyncio.Task[None]) -> None:
        self._under_way.pop(place, None)
        if task.cancelled():
            return
        problem = task.exception()
        if problem is None:
            self._house.store.changed.set()
        elif not isinstance(
            problem, StoreClosed
        ):  # tried again when the outbox is looked at next, not at once
            log.error("delivery_broke", place=place, exc_info=problem)

    async def _send(self, notice: Notice) -> None:
        """Sends a notice, and with it what waits behind it in its thread, as one message."""
        together, looked = [notice], notice.state != "sending"
        try:
            thread = await self._thread(notice)
            if not looked and (found := await self._find(notice, thread)):
                await self._found(notice, *found)
                return
            looked = True
            together, rendered = await with_those_behind(self._house, notice)
            message = await self._with_picture(rendered)
            ids = [one.id for one in together]
            await self._house.store.write(lambda db: [outbox.sending(db, one) for one in ids])
            ts = await self._desk.post(notice.channel, thread, message, *ids, broadcast=rendered.broadcast)
        except (DeliveryFailed, NotFound) as problem:
            await self._dead(notice, str(problem))
        except NotYet:
            due = self._house.clock() + 1.0
            await self._house.store.write(
                lambda db: outbox.later(db, notice.id, due, "not yet", untouched=looked)
            )
        except (SlackApiError, *UNKNOWN) as problem:
            await self._not_sent(together, problem, untouched=looked and certain(problem))
        except StoreError:
            raise
        except Exception as problem:
            await self._odd(notice, problem)
        else:
            await self._sent(together, ts)

    async def _thread(self, notice: Notice) -> str | None:
        if notice.thread_of is None:
            return notice.thread
        key = notice.thread_of
        card = await self._house.store.read(lambda db: outbox.card(db, key))
        if card is None or card.ts is None:
            raise DeliveryFailed(f"The card {key} has no message.")
        return card.ts

    async def _find(self, notice: Notice, thread: str | None) -> tuple[str, list[str]] | None:
        # A thread is read whole: its messages are few, and our clock may have been set since.
        since = notice.created_at - CLOCK_SLACK if thread is None else 0.0
        found = await self._desk.find(notice.channel, thread, notice.id, since)
        log.info("looked_for_notice", kind=notice.kind, found=found is not None)
        return found

    async def _found(self, notice: Notice, ts: str, ids: list[str]) -> None:
        """The message stands there already: everything that it carries is sent."""
        others = [one for one in ids if one != notice.id]
        carried = await self._house.store.read(lambda db: [outbox.get(db, one) for one in others])
        unsent = [one for one in carried if one is not None and one.state in ("due", "sending")]
        await self._sent([notice, *unsent], ts)

    async def _with_picture(self, rendered: Rendered) -> Message:
        block = await self._desk.upload(rendered.picture) if rendered.picture else None
        if block is None:
            return rendered.message
        blocks = list(rendered.message.blocks)
        blocks.insert(len(blocks) if rendered.picture_at is None else rendered.picture_at, block)
        return Message(rendered.message.text, blocks)

    async def _sent(self, together: Sequence[Notice], ts: str) -> None:
        await self._house.store.write(lambda db: [outbox.sent(db, notice, ts) for notice in together])
        for notice in together:
            NOTICE_LAG.observe(max(0.0, self._house.clock() - notice.created_at))
            log.info("notice_sent", kind=notice.kind, with_others=len(together) - 1)
            if notice.kind == "drop_card":
                await self._react_calmly(int(notice.body["dataset_id"]))

    async def _react_calmly(self, dataset_id: int) -> None:
        try:
            await self._react(dataset_id)
        except (SlackApiError, *UNKNOWN):
            key = f"drop:{dataset_id}"
            await self._house.store.write(lambda db: outbox.touch(db, key))

    async def _not_sent(self, together: Sequence[Notice], problem: Exception, *, untouched: bool) -> None:
        head = together[0]
        error = code_of(problem) if isinstance(problem, SlackApiError) else type(problem).__name__
        wait = retry_after(problem) if isinstance(problem, SlackApiError) else 0.0
        due = self._house.clock() + (wait or min(LONGEST_BACKOFF, 2.0 ** min(head.attempts, 8)))
        if error in FOREVER:  # the others are tried without it: it may be this one that Slack cannot take
            await self._dead(head, error)
            together, due = together[1:], self._house.clock()

        def keep(db: Database) -> None:
            for notice in together:
                outbox.later(db, notice.id, due, error, untouched=untouched)

        await self._house.store.write(keep)
        log.warning("notice_waits", kind=head.kind, error=error, attempts=head.attempts + 1)

    async def _odd(self, notice: Notice, problem: Exception) -> None:
        """A fault of our own in one notice must not hold up the others: tried a few times, then given up."""
        log.error("notice_broke", kind=notice.kind, exc_info=problem)
        if notice.attempts + 1 >= ODD_TRIES:
            await self._dead(notice, type(problem).__name__)
            return
        due = self._house.clock() + 2.0 ** (notice.attempts + 1)

        def keep(db: Database) -> None:
            outbox.sending(db, notice.id)
            outbox.later(db, notice.id, due, type(problem).__name__, untouched=False)

        await self._house.store.write(keep)

    async def _dead(self, notice: Notice, error: str) -> None:
        log.error("notice_given_up", kind=notice.kind, error=error)
        NOTICES_DEAD.labels(error if error in FOREVER else "other").inc()
        await self._house.store.write(lambda db: outbox.dead(db, notice.id, error))

    async def _edit(self, card: Card) -> None:
        try:
            message = await render_card(self._house, card)
            # Forgotten before it is edited: when the answer is lost, nobody knows what the card shows.
            if self._shown.pop(card.key, None) != message:
                await self._desk.edit(card.channel, card.ts or "", message)
            if card.kind == "drop_card":
                await self._react(card.ref)
        except SlackApiError as problem:
            if limited(problem) or code_of(problem) not in FOREVER:
                await self._edit_later(card, problem)
                return
            log.warning("card_given_up", card=card.key, error=code_of(problem))
        except UNKNOWN as problem:
            await self._edit_later(card, problem)
            return
        except NotFound:
            log.warning("card_without_record", card=card.key)
        except StoreError:
            raise
        except Exception as problem:  # a fault of ours in one card must not hold up the others
            log.error("card_broke", card=card.key, exc_info=problem)
            await self._edit_later(card, problem)
            return
        else:
            self._shown[card.key] = message
            if len(self._shown) > SHOWN:
                del self._shown[next(iter(self._shown))]
        await self._house.store.write(lambda db: outbox.edited(db, card, self._house.clock()))

    async def _edit_later(self, card: Card, problem: Exception) -> None:
        """The card stays stale; an edit says nothing twice, so it is simply done again."""
        wait = retry_after(problem) if isinstance(problem, SlackApiError) else 0.0
        if wait:
            self._no_edit_before = self._house.clock() + wait
        now = self._house.clock()
        await self._house.store.write(lambda db: outbox.tried(db, card, now))
        log.info("card_waits", card=card.key, problem=type(problem).__name__)

    async def _react(self, dataset_id: int) -> None:
        dataset, wanted = await self._house.store.read(lambda db: _wanted(db, dataset_id))
        before = dataset.reaction or EYES  # 👀 stands there since the drop was taken
        if wanted == before or dataset.origin_id is not None:
            return
        channel, ts, _ = parts_of(dataset.drop_id)
        await self._desk.react(channel, ts, wanted, before)
        await self._house.store.write(lambda db: datasets.change(db, dataset_id, reaction=wanted))


def _wanted(db: Database, dataset_id: int) -> tuple[Dataset, str]:
    """A dataset and the reaction on its drop: that of its repaired copy, once this one is ready."""
    dataset = datasets.get(db, dataset_id)
    for copy in datasets.made_from(db, dataset_id):
        if copy.origin == "repair" and copy.state == "ready":
            return dataset, reaction(copy)
    return dataset, reaction(dataset)


def _own_client(house: House) -> AsyncWebClient:
    """A client without retry handlers: delivery alone decides what is tried again."""
    if isinstance(house.client, PacedClient):
        return house.client.behind()
    return AsyncWebClient(token=house.bot_token, base_url=house.client.base_url, retry_handlers=[])

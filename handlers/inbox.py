"""The way in: what concerns ftbot is written down first, and only then acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeVar, cast

import aiohttp
import structlog
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from handlers import modals, suggestions
from handlers.house import House
from handlers.incoming import (
    STOP,
    Incoming,
    Payload,
    dropped,
    read_action,
    read_change,
    read_command,
    read_message,
    read_shortcut,
    read_stop,
    read_submission,
    words_of,
)
from handlers.meters import ACK_SECONDS, EVENTS
from handlers.people import People
from handlers.verbs import VERBS
from handlers.views.late import late_words
from handlers.worker import Worker
from storage import chats, inbox, outbox
from storage.errors import StoreUnusable
from storage.records import InboxItem, Notice
from storage.store import Database

T = TypeVar("T")

log = structlog.get_logger(__name__)

ABOUT = "about"
"""Callback id of the message shortcut."""
LATE = 60.0
"""Seconds after which an answer is called late."""
NOT_KEPT = (
    "I cannot write to my disk just now, so nothing was done. Tell the person who runs ftbot, then try again."
)
ANSWER_SECONDS = 2.0
"""How long an acknowledgement waits for what is answered in it; Slack takes none after three seconds."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one payload becomes in the inbox; ``content`` finds the same thing told twice under other ids."""

    key: str
    content: str | None
    said: Incoming


def sort(body: Payload, bot_user_id: str) -> list[Row]:
    """The rows of a payload; none for what is not for ftbot. A reply in a thread is still to be looked up."""
    kind = body.get("type")
    if kind == "event_callback":
        event = body.get("event")
        key = str(body.get("event_id") or "")
        return _of_event(cast(Payload, event), key, bot_user_id) if isinstance(event, dict) and key else []
    if kind == "block_actions":
        clicked = read_action(body)
        return [Row(f"action:{clicked.trigger_id}", None, clicked)] if clicked else []
    if kind == "view_submission":
        sent = read_submission(body)
        return [Row(f"view:{sent.view.get('id')}", None, sent)]
    if kind == "message_action" and body.get("callback_id") == ABOUT:
        return [Row(f"about:{body.get('trigger_id')}", None, read_shortcut(body))]
    if "command" in body:
        typed = read_command(body)
        return [Row(f"command:{typed.trigger_id}", None, typed)]
    return []


def _of_event(event: Payload, key: str, bot_user_id: str) -> list[Row]:
    if event.get("subtype") in ("message_changed", "message_deleted"):
        changed = read_change(event, bot_user_id)
        return [Row(key, None, changed)] if changed else []
    match event.get("type"):
        case "message" | "app_mention":
            said = read_message(event, bot_user_id)
            return _of_message(said, key) if said else []
        case "agent_session_stopped":
            stopped = read_stop(event)
            return [Row(key, None, stopped)] if stopped else []
        case "app_home_opened" if event.get("tab") == "home":
            seen = Incoming(kind="home", user=str(event.get("user", "")))
            return [Row(key, None, seen)]
        case _:
            return []


def _of_message(said: Incoming, key: str) -> list[Row]:
    place = f"{said.channel}:{said.ts}"
    rows: list[Row] = []
    if files := dropped(said):
        rows.append(Row(f"{key}:drop", f"drop:{place}", replace(said, kind="drop", files=files, text="")))
    talk = replace(said, files=[])
    if said.mentioned or said.is_dm:
        # Words beside a file are its caption, unless they are a wish.
        wish = words_of(said.text)[0] in (*VERBS, STOP)
        if wish or (not files and (said.text or said.mentioned)):
            rows.append(Row(key, f"message:{place}", talk))
    elif said.thread and said.text and not said.files and not said.names_others:
        rows.append(Row(key, f"message:{place}", talk))
    return rows


class Door:
    """Decides, writes, answers: the one place that acknowledges."""

    def __init__(
        self,
        house: House,
        worker: Worker,
        saw: Callable[[Payload], None] | None = None,
        people: People | None = None,
        missed: Callable[[Payload], None] | None = None,
    ) -> None:
        """``saw`` is told of every payload that was taken care of, ``missed`` of every other; ``people`` says
        who is turned away.
        """
        self._people = people
        self._house = house
        self._worker = worker
        self._saw = saw
        self._missed = missed

    async def keep(self, body: dict[str, Any]) -> BoltResponse:
        """The acknowledgement of a payload, given once it is kept, was known already or is not for ftbot.

        A command or form that cannot be written is answered so: Slack brings neither a second time.

        Raises:
            StoreError: it could not be written; without an acknowledgement Slack delivers it again.
        """
        began = perf_counter()
        fate = "failed"
        try:
            answer, fate = await self._keep(body)
            if self._saw is not None:
                self._saw(body)
            return answer
        except StoreUnusable as problem:
            said = unkept(body)
            if said is None:
                raise
            log.error("payload_not_kept", problem=str(problem))
            return BoltResponse(status=200, body=said)
        finally:
            if fate == "failed" and self._missed is not None:
                self._missed(body)
            EVENTS.labels(str(body.get("type") or "command"), fate).inc()
            ACK_SECONDS.observe(perf_counter() - began)

    async def _keep(self, body: dict[str, Any]) -> tuple[BoltResponse, str]:
        if body.get("type") == "block_suggestion":
            found = await in_time(suggestions.options(self._house, body, self._people))
            return BoltResponse(status=200, body={"options": found or []}), "answered"
        rows = [row for row in sort(body, self._house.bot_user_id) if await self._concerns(row.said)]
        for row in rows:
            # A form that cannot be looked through in time is taken; what refuses it then is told apart.
            if row.said.kind != "submission":
                continue
            if errors := await in_time(self._errors_in(row.said)):
                refusal = {"response_action": "errors", "errors": errors}
                return BoltResponse(status=200, body=refusal), "refused"
        if not rows:
            return BoltResponse(status=200, body=""), "not_ours"
        new = await self._write(rows)
        if new:
            self._worker.wake()
        return BoltResponse(status=200, body=""), "kept" if new else "known"

    async def _errors_in(self, sent: Incoming) -> dict[str, str]:
        """The errors of a form; a person whom the worker will turn away is told nothing of its matter."""
        if self._people is not None and await self._people.refused(sent):
            return {}
        return await modals.errors_in(self._house, sent)

    async def take_late(self, body: Payload) -> bool:
        """Takes an event that was found in the history; answers whether it was new. Says that it is late."""
        rows = [row for row in sort(body, self._house.bot_user_id) if await self._concerns(row.said)]
        if not rows:
            return False
        # Who is turned away hears that alone: no word in the thread that an answer comes.
        late = self._people is None or not await self._people.refused(rows[0].said)
        new = await self._write(rows, late=late)
        if new:
            self._worker.wake()
        return new

    async def _concerns(self, said: Incoming) -> bool:
        if said.kind == "changed":
            return await self._house.store.read(lambda db: told(db, said))
        if said.kind != "message" or said.mentioned or said.is_dm:
            return True
        thread = await self._house.store.read(lambda db: chats.get(db, said.channel, said.root))
        return thread is not None and bool(thread.active)

    async def _write(self, rows: list[Row], *, late: bool = False) -> bool:
        now = self._house.clock()

        def put(db: Database) -> bool:
            new = False
            for row in rows:
                if inbox.put(db, _item(row, now)):
                    new = True
                    if late and (notice := _late(row.said, now)):
                        outbox.add(db, notice)
            return new

        return await self._house.store.write(put)


def unkept(body: Payload) -> Payload | None:
    """What a person is told at once of what could not be written; ``None`` for what Slack delivers again."""
    if "command" in body:
        return {"response_type": "ephemeral", "text": NOT_KEPT}
    if body.get("type") == "view_submission":
        fields: Payload = body.get("view", {}).get("state", {}).get("values") or {}
        return {"response_action": "errors", "errors": {next(iter(fields)): NOT_KEPT}} if fields else None
    return None


def told(db: Database, said: Incoming) -> bool:
    """Whether a changed message stands in a conversation, or is about to: it still waits in the inbox.

    Our own answers change as they are written; only their deletion is news.
    """
    turn = chats.turn_at(db, said.channel, said.ts or "")
    if turn is None:
        return inbox.waits(db, f"message:{said.channel}:{said.ts}")
    return turn.role == "user" or not said.text


async def in_time(looking: Awaitable[T]) -> T | None:
    """What was found, or ``None`` when it was not found in the time of an acknowledgement."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await looking
    except (TimeoutError, SlackApiError, aiohttp.ClientError) as problem:
        log.info("not_known_in_time", problem=type(problem).__name__)
        return None


def _item(row: Row, now: float) -> InboxItem:
    return InboxItem(
        id=0,
        key=row.key,
        content_key=row.content,
        kind=row.said.kind,
        payload=row.said.payload(),
        received_at=now,
    )


def _late(said: Incoming, now: float) -> Notice | None:
    """The word in the thread that the answer comes late; none when it is hardly late."""
    late = now - float(said.ts or now)
    if late < LATE:
        return None
    body = {"text": late_words(late)}
    return Notice(f"late:{said.channel}:{said.ts}", "note", said.channel, body, now, thread=said.root)

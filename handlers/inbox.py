"""The way in: what concerns ftbot is written down first, and only then acknowledged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from slack_bolt.response import BoltResponse

from handlers import modals
from handlers.house import House
from handlers.incoming import (
    STOP,
    Incoming,
    Payload,
    dropped,
    read_action,
    read_command,
    read_message,
    read_submission,
    words_of,
)
from handlers.verbs import VERBS
from handlers.worker import Worker
from storage import chats, inbox
from storage.records import InboxItem


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
    if "command" in body:
        typed = read_command(body)
        return [Row(f"command:{typed.trigger_id}", None, typed)]
    return []


def _of_event(event: Payload, key: str, bot_user_id: str) -> list[Row]:
    match event.get("type"):
        case "message" | "app_mention":
            said = read_message(event, bot_user_id)
            return _of_message(said, key) if said else []
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

    def __init__(self, house: House, worker: Worker) -> None:
        self._house = house
        self._worker = worker

    async def keep(self, body: dict[str, Any]) -> BoltResponse:
        """The acknowledgement of a payload, given once it is kept, was known already or is not for ftbot.

        Raises:
            StoreError: it could not be written; without an acknowledgement Slack delivers it again.
        """
        if body.get("type") == "block_suggestion":
            return BoltResponse(status=200, body={"options": []})
        rows = [row for row in sort(body, self._house.bot_user_id) if await self._concerns(row.said)]
        for row in rows:
            if row.said.kind == "submission" and (errors := await modals.errors_in(self._house, row.said)):
                return BoltResponse(status=200, body={"response_action": "errors", "errors": errors})
        if rows and await self._write(rows):
            self._worker.wake()
        return BoltResponse(status=200, body="")

    async def _concerns(self, said: Incoming) -> bool:
        if said.kind != "message" or said.mentioned or said.is_dm:
            return True
        thread = await self._house.store.read(lambda db: chats.get(db, said.channel, said.root))
        return thread is not None and bool(thread.active)

    async def _write(self, rows: list[Row]) -> bool:
        now = self._house.clock()
        items = [
            InboxItem(
                id=0,
                key=row.key,
                content_key=row.content,
                kind=row.said.kind,
                payload=row.said.payload(),
                received_at=now,
            )
            for row in rows
        ]
        return any(await self._house.store.write(lambda db: [inbox.put(db, item) for item in items]))

"""The workspace's verbs about messages, used by the Web API and by ``/ui`` alike.

Each verb changes the store, tells the people (feed) and tells the app (events). Verbs about channels, files,
views and streams stand in their own modules and take the world as first argument.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localslack import events
from localslack.deafness import Ears
from localslack.delivery import Delivery
from localslack.errors import ApiError
from localslack.faults import Faults
from localslack.feed import Feed
from localslack.hooks import Hooks
from localslack.ids import Clock
from localslack.malformed import Malformed
from localslack.manifest import Manifest
from localslack.records import JSON, STREAM_LIFETIME_S, Channel, Identity, Message, User
from localslack.render import Rendering
from localslack.store import Store
from localslack.tickets import Tickets
from localslack.windows import Windows

if TYPE_CHECKING:
    from localslack.sessions import Session

MAX_REACTIONS = 23
STATUS_S = 120.0
SLACKBOT = "USLACKBOT"


class World(Rendering):
    """One workspace with one app installed."""

    def __init__(self, store: Store, identity: Identity, manifest: Manifest, data: Path) -> None:
        self.store = store
        self.me = identity
        self.manifest = manifest
        self.files_dir = data / "files"
        self.files_dir.mkdir(parents=True, exist_ok=True)
        self.clock = Clock()
        self.feed = Feed()
        self.delivery = Delivery(
            on_problem=lambda text: self.feed.publish({"type": "error", "message": text})
        )
        self.ears = Ears()
        self.faults = Faults()
        self.windows = Windows()
        self.hooks = Hooks()
        self.tickets = Tickets()
        self.sessions: dict[tuple[str, str], Session] = {}
        self.prompts: dict[str, list[JSON]] = {}
        self.states: dict[tuple[str, str], JSON] = {}
        self.base_url = "http://127.0.0.1"
        self.stream_s = STREAM_LIFETIME_S
        self.token_revoked = False
        self.malformed = Malformed()
        self._users = {user.id: user for user in store.users()}
        self._statuses: dict[tuple[str, str], int] = {}

    # ---------------------------------------------------------------- people

    @property
    def users(self) -> list[User]:
        return list(self._users.values())

    @property
    def bot(self) -> User:
        return self._users[self.me.bot_user_id]

    def person(self, name: str) -> User | None:
        """A human by id or name."""
        return next((u for u in self.users if not u.is_bot and name in (u.id, u.name)), None)

    def add_person(self, user: User) -> None:
        """A new colleague, guest or stranger."""
        self.store.save_user(user)
        self._users[user.id] = user

    def bot_in(self, channel_id: str) -> bool:
        return self.me.bot_user_id in self.store.members(channel_id)

    def audience(self, channel: Channel) -> frozenset[str] | None:
        """Who may see what happens in a channel; None is everybody."""
        return frozenset(self.store.members(channel.id)) if channel.is_private else None

    # --------------------------------------------------------------- posting

    def post(self, channel: Channel, user: User, text: str, *, at: str | None = None, **more: Any) -> Message:
        """Post a message; ``more`` are further fields of Message. Says so to people and to the app."""
        message = Message(
            channel=channel.id,
            ts=at or self.clock.next_ts(),
            user=user.id,
            text=text,
            from_app=user.is_bot,
            client_msg_id=None if user.is_bot else str(uuid.uuid4()),
            **more,
        )
        self.store.save_message(message)
        if message.ephemeral_to:
            seen = frozenset({message.ephemeral_to})
            self.feed.publish(
                {"type": "ephemeral", "channel": channel.id, "message": self.message_ui(message)}, seen
            )
            return message
        self.store.mark_read(user.id, channel.id, message.ts)
        self._clear_status(channel, message)
        self.show(message, "message")
        self._show_root(message)
        self.announce(channel, message)
        return message

    def announce(self, channel: Channel, message: Message) -> None:
        """The events of a new message: ``message.*``, and ``app_mention`` beside it with its own event id."""
        event = self.message_json(message) | {"event_ts": message.ts}
        if event.get("subtype") == "thread_broadcast":
            event["root"] = self.message_json(self.root_of(message), figures=True)
        events.send_message(self, channel, event)
        mentioned = f"<@{self.me.bot_user_id}>" in message.text or f"<@{self.me.bot_user_id}|" in message.text
        if mentioned and channel.kind != "im" and self.bot_in(channel.id) and not message.from_app:
            mention = {key: value for key, value in event.items() if key not in ("subtype", "parent_user_id")}
            events.send(self, mention | {"type": "app_mention", "channel": channel.id})

    def show(self, message: Message, kind: str) -> None:
        """Tell the people who may see the channel: ``message`` or ``message_changed``."""
        channel = self.channel(message.channel)
        audience = frozenset({message.ephemeral_to}) if message.ephemeral_to else self.audience(channel)
        body: JSON = {"type": kind, "channel": channel.id, "message": self.message_ui(message)}
        self.feed.publish(body, audience)

    def _show_root(self, message: Message) -> None:
        if message.is_reply:
            self.show(self.root_of(message), "message_changed")

    def set_status(self, channel: Channel, thread_ts: str, text: str) -> None:
        """The line "ftbot is …" under a thread; empty text, a message or two minutes take it away."""
        key = channel.id, thread_ts
        if text:
            self._statuses[key] = self.feed.number + 1
            self.delivery.spawn(self._forget_status(channel, thread_ts, self._statuses[key]))
        elif self._statuses.pop(key, None) is None:
            return
        body: JSON = {"type": "status", "channel": channel.id, "thread_ts": thread_ts, "text": text}
        self.feed.publish(body, self.audience(channel))

    async def _forget_status(self, channel: Channel, thread_ts: str, number: int) -> None:
        await asyncio.sleep(STATUS_S)
        if self._statuses.get((channel.id, thread_ts)) == number:
            self.set_status(channel, thread_ts, "")

    def _clear_status(self, channel: Channel, message: Message) -> None:
        if message.from_app and message.is_reply:
            self.set_status(channel, message.thread_ts or "", "")

    # ------------------------------------------------------ changing, finding

    def edit(self, message: Message, **changes: Any) -> Message:
        """Change a message for good, with its ``edited`` mark unless ``changes`` sets one."""
        mark = {"user": message.user, "ts": self.clock.next_ts()}
        changed = replace(message, **({"edited": mark} | changes))
        self.store.save_message(changed)
        self.show(changed, "message_changed")
        if not message.ephemeral_to:
            news = {
                "message": self.message_json(changed),
                "previous_message": self.message_json(message),
            }
            self._changed(self.channel(message.channel), "message_changed", news)
        return changed

    def delete(self, message: Message) -> None:
        """Delete a message; a root with replies stays as a tombstone, as in Slack."""
        channel = self.channel(message.channel)
        if self.thread_figures(message):
            self._entomb(channel, message)
            return
        self.store.remove_message(message.channel, message.ts)
        audience = frozenset({message.ephemeral_to}) if message.ephemeral_to else self.audience(channel)
        self.feed.publish({"type": "message_deleted", "channel": channel.id, "ts": message.ts}, audience)
        if message.ephemeral_to:
            return
        gone: JSON = {"deleted_ts": message.ts, "previous_message": self.message_json(message)}
        self._changed(channel, "message_deleted", gone)
        root = self.root_of(message)
        if message.is_reply and root.subtype == "tombstone" and not self.thread_figures(root):
            self.delete(root)
        else:
            self._show_root(message)

    def _entomb(self, channel: Channel, message: Message) -> None:
        """The event is ``message_changed`` with a message of Slackbot's and the subtype ``tombstone``."""
        text = "This message was deleted."
        stone = Message(message.channel, message.ts, SLACKBOT, text, subtype="tombstone")
        self.store.save_message(stone)
        self.show(stone, "message_changed")
        figures = self.thread_figures(stone) | {"parent_user_id": SLACKBOT, "hidden": True}
        news: JSON = {
            "message": self.message_json(stone) | figures,
            "previous_message": self.message_json(message),
        }
        self._changed(channel, "message_changed", news)

    def _changed(self, channel: Channel, subtype: str, news: JSON) -> None:
        """The event of an edit or a deletion."""
        stamp = self.clock.next_ts()
        common: JSON = {"type": "message", "subtype": subtype, "hidden": True, "ts": stamp, "event_ts": stamp}
        events.send_message(self, channel, news | common)

    def channel(self, channel_id: str) -> Channel:
        """Raises ApiError ``channel_not_found``."""
        found = self.store.channel(channel_id)
        if found is None:
            raise ApiError("channel_not_found")
        return found

    def message(self, channel_id: str, ts: str) -> Message:
        """A message that everybody in the channel sees. Raises ApiError ``message_not_found``."""
        found = self.store.message(channel_id, ts)
        if found is None or found.ephemeral_to:
            raise ApiError("message_not_found")
        return found

    def root_of(self, message: Message) -> Message:
        return self.store.message(message.channel, message.thread_ts or message.ts) or message

    def thread_root(self, channel_id: str, thread_ts: str | None) -> str | None:
        """Check the thread that a message is to go to. Raises ApiError when it is none."""
        if thread_ts is None:
            return None
        root = self.store.message(channel_id, thread_ts)
        if root is None or root.ephemeral_to:
            raise ApiError("thread_not_found")
        if root.is_reply:
            raise ApiError(
                "cannot_reply_to_message", "thread_ts is the ts of a reply, not of a thread's root"
            )
        return thread_ts

    # ------------------------------------------------------------- reactions

    def react(self, message: Message, name: str, user: User) -> None:
        """Raises ApiError ``already_reacted`` or ``too_many_emoji``."""
        now = {
            reaction["name"]: reaction["users"]
            for reaction in self.store.reactions(message.channel, message.ts)
        }
        if user.id in now.get(name, []):
            raise ApiError("already_reacted")
        if name not in now and len(now) >= MAX_REACTIONS:
            raise ApiError("too_many_emoji")
        self.store.add_reaction(message.channel, message.ts, name, user.id)
        self._reacted("reaction_added", message, name, user)

    def unreact(self, message: Message, name: str, user: User) -> None:
        """Raises ApiError ``no_reaction``."""
        now = {
            reaction["name"]: reaction["users"]
            for reaction in self.store.reactions(message.channel, message.ts)
        }
        if user.id not in now.get(name, []):
            raise ApiError("no_reaction")
        self.store.remove_reaction(message.channel, message.ts, name, user.id)
        self._reacted("reaction_removed", message, name, user)

    def _reacted(self, kind: str, message: Message, name: str, user: User) -> None:
        self.show(message, "message_changed")
        if self.bot_in(message.channel):
            event: JSON = {
                "type": kind,
                "user": user.id,
                "reaction": name,
                "item": {"type": "message", "channel": message.channel, "ts": message.ts},
                "item_user": message.user,
                "event_ts": self.clock.next_ts(),
            }
            events.send(self, event)

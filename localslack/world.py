"""The workspace's verbs about messages, used by the Web API and by ``/ui`` alike, so that nothing is written twice.

Each verb changes the store, tells the people (feed) and tells the app (events). Verbs about channels, files, views
and streams stand in their own modules and take the world as first argument.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from localslack import events, shapes
from localslack.delivery import Delivery
from localslack.errors import ApiError
from localslack.feed import Feed
from localslack.hooks import Hooks
from localslack.ids import Clock
from localslack.manifest import Manifest
from localslack.records import Channel, File, Identity, JSON, Message, User
from localslack.store import Store
from localslack.tickets import Tickets
from localslack.windows import Windows

MAX_REACTIONS = 23


class World:
    """One workspace with one app installed."""

    def __init__(self, store: Store, identity: Identity, manifest: Manifest, data: Path) -> None:
        self.store = store
        self.me = identity
        self.manifest = manifest
        self.files_dir = data / "files"
        self.files_dir.mkdir(parents=True, exist_ok=True)
        self.clock = Clock()
        self.feed = Feed()
        self.delivery = Delivery(on_problem=lambda text: self.feed.publish({"type": "error", "message": text}))
        self.windows = Windows()
        self.hooks = Hooks()
        self.tickets = Tickets()
        self.states: dict[tuple[str, str], JSON] = {}
        self.base_url = "http://127.0.0.1"
        self._users = {user.id: user for user in store.users()}

    # ---------------------------------------------------------------- people

    @property
    def users(self) -> list[User]:
        return list(self._users.values())

    @property
    def bot(self) -> User:
        return self._users[self.me.bot_user_id]

    def user(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    def person(self, name: str) -> User | None:
        """A human by id or name."""
        return next((u for u in self.users if not u.is_bot and name in (u.id, u.name)), None)

    def bot_in(self, channel_id: str) -> bool:
        return self.me.bot_user_id in self.store.members(channel_id)

    def audience(self, channel: Channel) -> frozenset[str] | None:
        """Who may see what happens in a channel; None is everybody."""
        return frozenset(self.store.members(channel.id)) if channel.is_private else None

    # ------------------------------------------------------------- as JSON

    def file_json(self, file: File) -> JSON:
        kinds = {channel.id: channel.kind for channel in self.store.channels()}
        return shapes.file_json(file, self.me, self.base_url, self.clock.now(), dict(kinds))

    def message_json(self, message: Message, *, metadata: bool = False, figures: bool = False) -> JSON:
        """``figures`` adds what reading methods show: thread counts, reactions."""
        found = (self.store.file(file_id) for file_id in message.files)
        files = [self.file_json(f) if not f.deleted else {"id": f.id, "mode": "tombstone"} for f in found if f]
        body = shapes.message_json(message, self.me, self.manifest.bot_name, files)
        if metadata and message.metadata is not None:
            body["metadata"] = message.metadata
        if message.is_reply and (root := self.store.message(message.channel, message.thread_ts or "")) is not None:
            body["parent_user_id"] = root.user
        if figures:
            body |= self.thread_figures(message)
            if found_reactions := self.store.reactions(message.channel, message.ts):
                body["reactions"] = found_reactions
        return body

    def thread_figures(self, message: Message) -> JSON:
        """``thread_ts, reply_count, latest_reply, reply_users…`` of a root that has replies, else nothing."""
        if message.is_reply or message.ephemeral_to:
            return {}
        replies = self.store.thread(message.channel, message.ts)[1:]
        if not replies:
            return {}
        people = list(dict.fromkeys(reply.user for reply in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users_count": len(people),
            "latest_reply": replies[-1].ts,
            "reply_users": people[:5],
            "is_locked": False,
            "subscribed": False,
        }

    def message_ui(self, message: Message) -> JSON:
        """The message as the page gets it (M of the contract)."""
        user = self.user(message.user)
        body: JSON = {
            "ts": message.ts,
            "channel": message.channel,
            "user": message.user,
            "username": message.username or (user.real_name if user else message.user),
            "text": message.text,
            "reactions": self.store.reactions(message.channel, message.ts),
        }
        if message.from_app:
            body |= {"bot_id": self.me.bot_id, "username": message.username or self.manifest.bot_name}
        figures = self.thread_figures(message)
        body |= {key: figures[key] for key in ("thread_ts", "reply_count", "latest_reply") if key in figures}
        optional: JSON = {
            "thread_ts": message.thread_ts,
            "blocks": [_with_picture(block) for block in message.blocks] if message.blocks else None,
            "edited": message.edited,
            "subtype": message.subtype,
            "ephemeral": True if message.ephemeral_to else None,
            "streaming": True if message.is_streaming else None,
            "metadata": message.metadata,
            "broadcast": True if message.broadcast else None,
        }
        body |= {key: value for key, value in optional.items() if value is not None}
        files = [file for file in map(self.store.file, message.files) if file is not None and not file.deleted]
        if files:
            body["files"] = [self.file_ui(file) for file in files]
        return body

    def file_ui(self, file: File) -> JSON:
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "size": file.size,
            "url": f"/ui/files/{file.id}/content",
            "permalink": f"{self.base_url}/files/{file.user}/{file.id}/{file.name}",
            "is_image": file.is_image,
        }

    def permalink(self, message: Message) -> str:
        link = f"{self.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
        return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}" if message.is_reply else link

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
            self.feed.publish({"type": "ephemeral", "channel": channel.id, "message": self.message_ui(message)}, seen)
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
        """The line "ftbot is …" under a thread; empty text takes it away."""
        body: JSON = {"type": "status", "channel": channel.id, "thread_ts": thread_ts, "text": text}
        self.feed.publish(body, self.audience(channel))

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
            stamp = self.clock.next_ts()
            event: JSON = {
                "type": "message",
                "subtype": "message_changed",
                "message": self.message_json(changed),
                "previous_message": self.message_json(message),
                "hidden": True,
                "ts": stamp,
                "event_ts": stamp,
            }
            events.send_message(self, self.channel(message.channel), event)
        return changed

    def delete(self, message: Message) -> None:
        """Delete a message; a root with replies stays as a tombstone, as in Slack."""
        channel = self.channel(message.channel)
        has_replies = bool(self.thread_figures(message))
        if has_replies:
            text = "This message was deleted."
            stone = Message(message.channel, message.ts, message.user, text, subtype="tombstone")
            self.store.save_message(stone)
            self.show(stone, "message_changed")
        else:
            self.store.remove_message(message.channel, message.ts)
            audience = frozenset({message.ephemeral_to}) if message.ephemeral_to else self.audience(channel)
            self.feed.publish({"type": "message_deleted", "channel": channel.id, "ts": message.ts}, audience)
            self._show_root(message)
        if not message.ephemeral_to:
            stamp = self.clock.next_ts()
            event: JSON = {
                "type": "message",
                "subtype": "message_deleted",
                "previous_message": self.message_json(message),
                "deleted_ts": message.ts,
                "hidden": True,
                "ts": stamp,
                "event_ts": stamp,
            }
            events.send_message(self, channel, event)

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
            raise ApiError("cannot_reply_to_message", "thread_ts is the ts of a reply, not of a thread's root")
        return thread_ts

    # ------------------------------------------------------------- reactions

    def react(self, message: Message, name: str, user: User) -> None:
        """Raises ApiError ``already_reacted`` or ``too_many_emoji``."""
        now = {reaction["name"]: reaction["users"] for reaction in self.store.reactions(message.channel, message.ts)}
        if user.id in now.get(name, []):
            raise ApiError("already_reacted")
        if name not in now and len(now) >= MAX_REACTIONS:
            raise ApiError("too_many_emoji")
        self.store.add_reaction(message.channel, message.ts, name, user.id)
        self._reacted("reaction_added", message, name, user)

    def unreact(self, message: Message, name: str, user: User) -> None:
        """Raises ApiError ``no_reaction``."""
        now = {reaction["name"]: reaction["users"] for reaction in self.store.reactions(message.channel, message.ts)}
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


def _with_picture(block: JSON) -> JSON:
    """An image block that names a Slack file, with the address from which the page can show it."""
    source = block.get("slack_file") or {}
    if block.get("type") == "image" and source.get("id"):
        return {**block, "image_url": f"/ui/files/{source['id']}/content"}
    return block

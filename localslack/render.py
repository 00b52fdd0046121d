"""The workspace's records as JSON: as apps get them, and as the page gets them."""

from __future__ import annotations

from localslack import shapes
from localslack.ids import Clock
from localslack.manifest import Manifest
from localslack.records import JSON, File, Identity, Message, User
from localslack.store import Store


class Rendering:
    """The part of the world that shows; the verbs are in ``world``."""

    store: Store
    me: Identity
    manifest: Manifest
    clock: Clock
    base_url: str

    _users: dict[str, User]

    def user(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    def file_json(self, file: File) -> JSON:
        kinds = {channel.id: channel.kind for channel in self.store.channels()}
        return shapes.file_json(file, self.me, self.base_url, self.clock.now(), dict(kinds))

    def message_json(self, message: Message, *, metadata: bool = False, figures: bool = False) -> JSON:
        """``figures`` adds what reading methods show: thread counts, reactions."""
        found = (self.store.file(file_id) for file_id in message.files)
        files = [shapes.stub_json(file) or self.file_json(file) for file in found if file]
        body = shapes.message_json(message, self.me, self.manifest.bot_name, files)
        user = self.user(message.user)
        if user is not None and user.team is not None:
            body |= {"team": user.team, "user_team": user.team, "source_team": user.team}
        if metadata and message.metadata is not None:
            body["metadata"] = message.metadata
        if (
            message.is_reply
            and (root := self.store.message(message.channel, message.thread_ts or "")) is not None
        ):
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
            "streaming": True if message.is_streaming(self.clock.now()) else None,
            "metadata": message.metadata,
            "broadcast": True if message.broadcast else None,
        }
        body |= {key: value for key, value in optional.items() if value is not None}
        files = [file for file in map(self.store.file, message.files) if file is not None]
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
            "is_image": file.is_image and not file.deleted,
            "mode": "tombstone" if file.deleted else file.mode,
        }

    def permalink(self, message: Message) -> str:
        link = f"{self.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
        return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}" if message.is_reply else link


def _with_picture(block: JSON) -> JSON:
    """An image block that names a Slack file, with the address from which the page can show it."""
    source: JSON = block.get("slack_file") or {}
    if block.get("type") == "image" and source.get("id"):
        return {**block, "image_url": f"/ui/files/{source['id']}/content"}
    return block

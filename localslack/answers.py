"""What the app says outside the Web API: in an acknowledgement, or to a response_url."""

from __future__ import annotations

from typing import Any

from localslack.errors import ApiError
from localslack.hooks import Hook
from localslack.records import JSON, Channel, Message
from localslack.webapi.content import checked_blocks
from localslack.world import World

_KEYS = {
    "text", "blocks", "attachments", "response_type", "replace_original", "delete_original", "thread_ts",
    "metadata", "mrkdwn", "unfurl_links", "unfurl_media", "parse", "link_names",
}  # fmt: skip


def answer_command(world: World, channel: Channel, user_id: str, payload: JSON) -> Message | None:
    """The payload of a slash command's acknowledgement, shown to the person (or to all: ``in_channel``)."""
    if not payload.get("text") and not payload.get("blocks"):
        return None
    return _say(world, channel, user_id, payload, payload.get("thread_ts"))


def answer_hook(world: World, hook: Hook, payload: JSON) -> None:
    """A POST to a response_url. Raises ApiError as Slack's endpoint does."""
    if unknown := sorted(set(payload) - _KEYS):
        raise ApiError("invalid_payload", f"[ERROR] unknown key: {', '.join(unknown)}")
    channel = world.channel(hook.channel)
    clicked = world.store.message(channel.id, hook.ts) if hook.ts else None
    if payload.get("delete_original"):
        if clicked is not None and (clicked.ephemeral_to or clicked.from_app):
            world.delete(clicked)
        return
    if not payload.get("text") and not payload.get("blocks") and not payload.get("attachments"):
        raise ApiError("no_text")
    if payload.get("replace_original") and clicked is not None and clicked.from_app:
        fields = _fields(world, payload)
        mark: JSON = {"edited": None} if clicked.ephemeral_to else {}
        world.edit(clicked, **({"blocks": None} | fields | mark))
        return
    _say(world, channel, hook.user, payload, payload.get("thread_ts") or hook.thread_ts)


def _say(world: World, channel: Channel, user_id: str, payload: JSON, thread_ts: str | None) -> Message:
    person = None if payload.get("response_type") == "in_channel" else user_id
    return world.post(channel, world.bot, ephemeral_to=person, thread_ts=thread_ts, **_fields(world, payload))


def _fields(world: World, payload: JSON) -> JSON:
    blocks: list[Any] | None = payload.get("blocks")
    fields: JSON = {"text": payload.get("text") or ""}
    if blocks:
        fields["blocks"] = checked_blocks(world, blocks)
    return fields

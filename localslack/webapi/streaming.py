"""chat.startStream, chat.appendStream, chat.stopStream."""

from __future__ import annotations

from typing import Any

from localslack import sessions, streams
from localslack.errors import ApiError
from localslack.records import JSON, Channel
from localslack.webapi.content import checked_blocks, checked_metadata
from localslack.webapi.registry import Call, method


def _text(call: Call) -> tuple[str, list[Any]]:
    markdown: str = call.get("markdown_text") or ""
    chunks: list[Any] = call.get("chunks") or []
    if len(markdown) > streams.MAX_TEXT:
        raise ApiError("msg_too_long")
    return markdown, chunks


def _check_recipient(call: Call, channel: Channel) -> None:
    """In channels the person for whom is streamed must be named."""
    if channel.kind == "im":
        return
    if not call.get("recipient_user_id"):
        raise ApiError("missing_recipient_user_id")
    if not call.get("recipient_team_id"):
        raise ApiError("missing_recipient_team_id")
    if call.world.user(call.get("recipient_user_id")) is None:
        raise ApiError("user_not_found")
    if call.get("recipient_team_id") != call.world.me.team_id:
        raise ApiError("team_not_found")


@method(
    "chat.startStream",
    "channel! thread_ts! markdown_text chunks:list recipient_user_id recipient_team_id task_display_mode"
    " icon_emoji icon_url username",
    tier="t2",
    scopes="chat:write",
)
def start(call: Call) -> JSON:
    channel = call.joined_channel()
    _check_recipient(call, channel)
    if call.get("task_display_mode") not in (None, "timeline", "plan"):
        raise ApiError(
            "invalid_arguments", "[ERROR] must be timeline or plan [json-pointer:/task_display_mode]"
        )
    thread_ts = call.world.thread_root(channel.id, call.get("thread_ts")) or ""
    plan = call.get("task_display_mode") == "plan"
    message = streams.start(call.world, channel, thread_ts, *_text(call), plan=plan)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.appendStream", "channel! ts! markdown_text chunks:list", tier="t4", scopes="chat:write")
def append(call: Call) -> JSON:
    channel = call.joined_channel()
    markdown, chunks = _text(call)
    if not markdown and not chunks:
        raise ApiError("no_text")
    message = streams.append(call.world, call.message(channel), markdown, chunks)
    return {"channel": channel.id, "ts": message.ts}


@method(
    "chat.stopStream",
    "channel! ts! markdown_text chunks:list blocks:list metadata:obj session_status",
    tier="t2",
    scopes="chat:write",
)
def stop(call: Call) -> JSON:
    """Slack's published answer has ``channel``, ``ts`` and the finished ``message``."""
    channel = call.joined_channel()
    message = call.message(channel)
    blocks = checked_blocks(call.world, call.get("blocks") or [])
    metadata = checked_metadata(call.get("metadata")) if call.get("metadata") else None
    status = call.get("session_status")
    if status not in (None, *sessions.STATUSES):
        raise ApiError("invalid_status")
    markdown, chunks = _text(call)
    stopped = streams.stop(call.world, message, markdown, chunks, blocks, metadata)
    if status:
        sessions.set_status(call.world, channel, message.thread_ts or message.ts, status, None)
    return {"channel": channel.id, "ts": stopped.ts, "message": call.world.message_json(stopped)}

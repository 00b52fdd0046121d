"""conversations.* and users.conversations."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from localslack import channels, shapes
from localslack.errors import ApiError
from localslack.records import JSON, Channel, Message
from localslack.webapi.registry import HISTORY_SCOPES, READ_SCOPES, Call, method

_READ = "channels:read groups:read im:read mpim:read"
_HISTORY = "channels:history groups:history im:history mpim:history"
_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_LATEST = "9999999999.999999"


def _json(call: Call, channel: Channel) -> JSON:
    bot = call.world.me.bot_user_id
    other = channels.other_in_dm(call.world, channel, bot) if channel.kind == "im" else None
    body = shapes.channel_json(channel, call.world.me, other=other)
    if channel.kind != "im":
        body["is_member"] = call.world.bot_in(channel.id)
    return body


def page(call: Call, items: list[Any], default: int) -> tuple[list[Any], str]:
    """One page of a list by ``limit`` and ``cursor``.

    Raises ApiError ``invalid_cursor`` or ``invalid_limit``.
    """
    limit = call.get("limit") or default
    if not 1 <= limit <= 1000:
        raise ApiError("invalid_limit")
    start = 0
    if call.get("cursor"):
        try:
            start = int(base64.urlsafe_b64decode(call.get("cursor")).decode().removeprefix("at:"))
        except (binascii.Error, UnicodeDecodeError, ValueError):
            raise ApiError("invalid_cursor") from None
    end = start + limit
    return items[start:end], base64.urlsafe_b64encode(f"at:{end}".encode()).decode() if end < len(
        items
    ) else ""


@method("conversations.info", "channel! include_locale:bool include_num_members:bool", scopes=_READ)
def info(call: Call) -> JSON:
    channel = call.channel()
    call.need_scope(READ_SCOPES[channel.kind])
    body = _json(call, channel)
    if call.get("include_num_members"):
        body["num_members"] = len(call.world.store.members(channel.id))
    return {"channel": body}


def _shown(call: Call, messages: list[Message]) -> list[JSON]:
    metadata = bool(call.get("include_all_metadata"))
    return [call.world.message_json(m, metadata=metadata, figures=True) for m in messages]


def _window(call: Call) -> tuple[str, str]:
    """(before, after) as exclusive bounds."""
    latest, oldest = call.get("latest") or _LATEST, call.get("oldest") or "0"
    for name, value in (("latest", latest), ("oldest", oldest)):
        if not value.replace(".", "", 1).isdigit():
            raise ApiError(f"invalid_ts_{name}")
    if call.get("inclusive"):
        return latest + "~", f"{float(oldest) - 0.0000005:.7f}" if oldest != "0" else "0"
    return latest, oldest


@method(
    "conversations.history",
    "channel! cursor include_all_metadata:bool inclusive:bool latest limit:int oldest",
    scopes=_HISTORY,
)
def history(call: Call) -> JSON:
    channel = call.joined_channel()
    call.need_scope(HISTORY_SCOPES[channel.kind])
    before, after = _window(call)
    found = call.world.store.timeline(channel.id, before, after, 100_000)
    messages, cursor = page(call, found, 100)
    answer: JSON = {"messages": _shown(call, messages), "has_more": bool(cursor), "pin_count": 0}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


@method(
    "conversations.replies",
    "channel! ts! cursor include_all_metadata:bool inclusive:bool latest limit:int oldest",
    scopes=_HISTORY,
)
def replies(call: Call) -> JSON:
    """The root comes first; a reply's ts gives that reply's whole thread, as in Slack."""
    channel = call.joined_channel()
    call.need_scope(HISTORY_SCOPES[channel.kind])
    message = call.world.store.message(channel.id, call.get("ts"))
    if message is None or message.ephemeral_to:
        raise ApiError("thread_not_found")
    before, after = _window(call)
    thread = call.world.store.thread(channel.id, call.world.root_of(message).ts)
    root, rest = thread[:1], [reply for reply in thread[1:] if after < reply.ts < before]
    messages, cursor = page(call, [*root, *rest], 1000)
    answer: JSON = {"messages": _shown(call, messages), "has_more": bool(cursor)}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


@method("conversations.members", "channel! cursor limit:int", tier="t4", scopes=_READ)
def members(call: Call) -> JSON:
    channel = call.channel()
    call.need_scope(READ_SCOPES[channel.kind])
    found, cursor = page(call, call.world.store.members(channel.id), 100)
    return {"members": found, "response_metadata": {"next_cursor": cursor}}


@method(
    "conversations.open", "channel return_im:bool users prevent_creation:bool", scopes="im:write mpim:write"
)
def open_conversation(call: Call) -> JSON:
    world = call.world
    if call.get("channel"):
        channel, there = call.channel(), True
    else:
        users = [user for user in (call.get("users") or "").split(",") if user]
        if not users:
            raise ApiError("users_list_not_supplied")
        people = [person for person in map(world.user, users) if person is not None]
        if len(people) < len(users):
            raise ApiError("user_not_found")
        call.need_scope("im:write" if len(people) == 1 else "mpim:write")
        if len(people) == 1:
            channel, there = channels.open_dm(world, people[0], world.bot)
        else:
            channel, there = channels.open_group(world, [*people, world.bot])
    answer: JSON = {"channel": _json(call, channel) if call.get("return_im") else {"id": channel.id}}
    return answer | ({"no_op": True, "already_open": True} if there else {})


@method("conversations.join", "channel!", scopes="channels:join")
def join(call: Call) -> JSON:
    channel = call.channel()
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise ApiError("is_archived")
    answer: JSON = {}
    if call.world.bot_in(channel.id):
        answer = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    else:
        channels.add_member(call.world, channel, call.world.bot)
    return {"channel": _json(call, channel)} | answer


def _listed(call: Call, found: list[Channel]) -> JSON:
    kinds: set[str] = set()
    for name in (call.get("types") or "public_channel").split(","):
        if name.strip() not in _TYPES:
            raise ApiError("invalid_types")
        kinds.add(_TYPES[name.strip()])
    for kind in sorted(kinds & set(READ_SCOPES)):
        call.need_scope(READ_SCOPES[kind])
    if call.get("exclude_archived"):
        found = [channel for channel in found if not channel.is_archived]
    chosen, cursor = page(call, [channel for channel in found if channel.kind in kinds], 100)
    return {
        "channels": [_json(call, channel) for channel in chosen],
        "response_metadata": {"next_cursor": cursor},
    }


@method("conversations.list", "cursor exclude_archived:bool limit:int team_id types", tier="t2", scopes=_READ)
def list_conversations(call: Call) -> JSON:
    world = call.world
    visible = [c for c in world.store.channels() if not c.is_private or world.bot_in(c.id)]
    return _listed(call, visible)


@method(
    "users.conversations",
    "cursor exclude_archived:bool exclude_muted:bool limit:int team_id types user",
    scopes=_READ,
)
def user_conversations(call: Call) -> JSON:
    """The channels of the bot, or those of a person that the bot may know of."""
    world, user = call.world, call.get("user") or call.world.me.bot_user_id
    if world.user(user) is None:
        raise ApiError("user_not_found")
    mine = [c for c in world.store.channels() if user in world.store.members(c.id)]
    answer = _listed(call, [c for c in mine if not c.is_private or world.bot_in(c.id)])
    for channel in answer["channels"]:
        channel.pop("is_member", None)
    return answer

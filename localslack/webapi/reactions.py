"""reactions.*."""

from __future__ import annotations

import re

from localslack.errors import ApiError
from localslack.records import JSON
from localslack.webapi.registry import Call, method

_NAME = re.compile(r"[a-z0-9_+'\-]{1,100}(::skin-tone-[2-6])?")


def _name(call: Call) -> str:
    name = call.get("name").strip(":")
    if not _NAME.fullmatch(name):
        raise ApiError("invalid_name")
    return name


@method("reactions.add", "channel! name! timestamp!", scopes="reactions:write")
def add(call: Call) -> JSON:
    channel = call.joined_channel()
    if channel.is_archived:
        raise ApiError("is_archived")
    call.world.react(call.message(channel, "timestamp"), _name(call), call.world.bot)
    return {}


@method("reactions.remove", "name! channel timestamp file file_comment", tier="t2", scopes="reactions:write")
def remove(call: Call) -> JSON:
    if not call.get("channel") or not call.get("timestamp"):
        raise ApiError("no_item_specified")
    channel = call.joined_channel()
    call.world.unreact(call.message(channel, "timestamp"), _name(call), call.world.bot)
    return {}


@method("reactions.get", "channel timestamp full:bool file file_comment", scopes="reactions:read")
def get(call: Call) -> JSON:
    if not call.get("channel") or not call.get("timestamp"):
        raise ApiError("no_item_specified")
    channel = call.joined_channel()
    message = call.message(channel, "timestamp")
    body = call.world.message_json(message) | {"permalink": call.world.permalink(message)}
    if found := call.world.store.reactions(channel.id, message.ts):
        body["reactions"] = found
    return {"type": "message", "channel": channel.id, "message": body}

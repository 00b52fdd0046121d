"""chat.*: posting, changing, deleting."""

from __future__ import annotations

from localslack import channels
from localslack.errors import ApiError
from localslack.records import JSON, Channel
from localslack.webapi.content import MAX_POST_TEXT, MAX_UPDATE_TEXT, POST_ARGS, content_of
from localslack.webapi.registry import Call, method


def _target(call: Call) -> Channel:
    """Where to post: a channel the bot is in, or a person (their direct message with the app)."""
    world, name = call.world, str(call.get("channel"))
    if (user := world.user(name)) is not None and not user.is_bot:
        return channels.open_dm(world, user, world.bot)[0]
    channel = world.store.channel(name)
    if channel is None or (channel.is_private and not world.bot_in(channel.id)):
        raise ApiError("channel_not_found")
    if channel.is_archived:
        raise ApiError("is_archived")
    if not world.bot_in(channel.id) and "chat:write.public" not in world.manifest.scopes:
        raise ApiError("not_in_channel")
    return channel


def _username(call: Call) -> str | None:
    if any(call.get(name) for name in ("username", "icon_emoji", "icon_url")):
        call.need_scope("chat:write.customize")
    if call.get("as_user"):
        raise ApiError("as_user_not_supported")
    return call.get("username")


@method(
    "chat.postMessage",
    POST_ARGS + " thread_ts reply_broadcast:bool unfurl_links:bool unfurl_media:bool mrkdwn:bool",
    tier="special",
    scopes="chat:write chat:write.public",
)
def post_message(call: Call) -> JSON:
    world, channel = call.world, _target(call)
    fields = content_of(call)
    thread_ts = world.thread_root(channel.id, call.get("thread_ts"))
    broadcast = bool(call.get("reply_broadcast") and thread_ts)
    message = world.post(
        channel,
        world.bot,
        thread_ts=thread_ts,
        broadcast=broadcast,
        subtype="thread_broadcast" if broadcast else None,
        username=_username(call),
        **fields,
    )
    answer: JSON = {
        "channel": channel.id,
        "ts": message.ts,
        "message": world.message_json(message, metadata=True),
    }
    if len(call.get("text") or "") > MAX_POST_TEXT:
        answer["warning"] = "message_truncated"
    return answer


@method("chat.postEphemeral", POST_ARGS + " user! thread_ts", tier="t4", scopes="chat:write")
def post_ephemeral(call: Call) -> JSON:
    world, channel = call.world, _target(call)
    if call.get("user") not in world.store.members(channel.id):
        raise ApiError("user_not_in_channel")
    fields = content_of(call)
    thread_ts = world.thread_root(channel.id, call.get("thread_ts"))
    username = _username(call)
    message = world.post(
        channel, world.bot, thread_ts=thread_ts, ephemeral_to=call.get("user"), username=username, **fields
    )
    return {"message_ts": message.ts}


@method(
    "chat.update",
    "channel! ts! text blocks:list attachments:list unfurled_attachments:list markdown_text metadata:obj"
    " as_user:bool link_names:bool parse reply_broadcast:bool file_ids:list",
    scopes="chat:write",
)
def update(call: Call) -> JSON:
    """Text alone takes the old blocks away; metadata that is not given stays."""
    world, channel = call.world, call.channel()
    message = call.message(channel)
    if not message.from_app or message.subtype == "tombstone":
        raise ApiError("cant_update_message")
    if message.is_streaming(world.clock.now()):
        raise ApiError("streaming_state_conflict")
    fields = content_of(call, max_text=MAX_UPDATE_TEXT)
    if call.get("text") is None and call.get("markdown_text") is None:
        fields["text"] = message.text
    changed = world.edit(message, stream=None, **({"blocks": None} | fields))
    body = world.message_json(changed, metadata=True)
    body.pop("ts")  # Slack gives it beside the message only
    return {"channel": channel.id, "ts": changed.ts, "text": changed.text, "message": body}


@method("chat.delete", "channel! ts! as_user:bool", scopes="chat:write")
def delete(call: Call) -> JSON:
    channel = call.channel()
    message = call.message(channel)
    if not message.from_app or message.subtype == "tombstone":
        raise ApiError("cant_delete_message")
    call.world.delete(message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink", "channel! message_ts!", tier="special")
def get_permalink(call: Call) -> JSON:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    return {"channel": channel.id, "permalink": call.world.permalink(message)}

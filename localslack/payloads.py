"""The payloads that an app gets when a person does something: commands, clicks, forms, shortcuts."""

from __future__ import annotations

from localslack import shapes
from localslack.records import JSON, Channel, Message, User, View
from localslack.world import World

_VERIFICATION = "localslack"


def _common(world: World, kind: str, user: User) -> JSON:
    me = world.me
    return {
        "type": kind,
        "token": _VERIFICATION,
        "api_app_id": me.app_id,
        "team": {"id": me.team_id, "domain": me.team_domain},
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": user.team or me.team_id,
        },
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_name(channel: Channel) -> str:
    names = {"channel": channel.name, "group": "privategroup", "im": "directmessage", "mpim": channel.name}
    return names[channel.kind]


def slash_command(world: World, user: User, channel: Channel, command: str, text: str) -> JSON:
    """A typed slash command, with a fresh trigger and a response_url."""
    me = world.me
    return {
        "token": _VERIFICATION,
        "team_id": me.team_id,
        "team_domain": me.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": me.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(world, user, channel),
        "trigger_id": world.windows.trigger(user.id),
    }


def response_url(world: World, user: User, channel: Channel, message: Message | None = None) -> str:
    ts, thread = (message.ts, message.thread_ts) if message else (None, None)
    return f"{world.base_url}/hooks/{world.hooks.make(user.id, channel.id, ts, thread).id}"


def message_click(
    world: World, user: User, channel: Channel, message: Message, action: JSON, state: JSON
) -> JSON:
    """A click in a message. An ephemeral one is named by its container only."""
    container: JSON = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _common(world, "block_actions", user) | {
        "container": container,
        "trigger_id": world.windows.trigger(user.id),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": state},
        "response_url": response_url(world, user, channel, message),
        "actions": [action],
    }
    if message.ephemeral_to is None:
        payload["message"] = world.message_json(message, metadata=True, figures=True)
    return payload


def view_click(world: World, user: User, view: View, action: JSON) -> JSON:
    """A click in a modal or in Home."""
    return _common(world, "block_actions", user) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": world.windows.trigger(user.id),
        "view": shapes.view_json(view, world.me),
        "actions": [action],
    }


def view_submission(world: World, user: User, view: View) -> JSON:
    return _common(world, "view_submission", user) | {
        "trigger_id": world.windows.trigger(user.id),
        "view": shapes.view_json(view, world.me),
        "response_urls": [],
    }


def view_closed(world: World, user: User, view: View, *, cleared: bool) -> JSON:
    return _common(world, "view_closed", user) | {
        "view": shapes.view_json(view, world.me),
        "is_cleared": cleared,
    }


def block_suggestion(
    world: World, user: User, block_id: str, action_id: str, value: str, where: tuple[Channel, Message] | View
) -> JSON:
    """An external select asks for its options."""
    payload = _common(world, "block_suggestion", user) | {
        "block_id": block_id,
        "action_id": action_id,
        "value": value,
    }
    if isinstance(where, View):
        return payload | {
            "container": {"type": "view", "view_id": where.id},
            "view": shapes.view_json(where, world.me),
        }
    channel, message = where
    return payload | {
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": False,
        },
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "message": world.message_json(message, figures=True),
    }


def shortcut(world: World, user: User, callback_id: str, where: tuple[Channel, Message] | None) -> JSON:
    """A global shortcut, or one on a message."""
    common: JSON = {
        "callback_id": callback_id,
        "trigger_id": world.windows.trigger(user.id),
        "action_ts": world.clock.next_ts(),
    }
    if where is None:
        return _common(world, "shortcut", user) | common
    channel, message = where
    return (
        _common(world, "message_action", user)
        | common
        | {
            "response_url": response_url(world, user, channel, message),
            "message_ts": message.ts,
            "channel": {"id": channel.id, "name": channel_name(channel)},
            "message": world.message_json(message, figures=True),
        }
    )

"""What the app is told: Events API payloads, only subscribed ones, only from where the bot may look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localslack.ids import new_id
from localslack.records import JSON, Channel

if TYPE_CHECKING:
    from localslack.world import World

_MESSAGE_EVENTS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


_NEEDED = {
    "app_mention": "app_mentions:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "file_deleted": "files:read",
    "file_shared": "files:read",
    "group_archive": "groups:read",
    "group_unarchive": "groups:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "team_join": "users:read",
}
"""The scope without which a subscribed event is not sent (reference of each event)."""


def envelope(world: World, event: JSON) -> JSON:
    """The outer Events API object around ``event``."""
    me = world.me
    place = event.get("channel") or event.get("channel_id")
    channel = world.store.channel(place) if isinstance(place, str) else None
    return {
        "token": "localslack",
        "team_id": me.team_id,
        "context_team_id": me.team_id,
        "context_enterprise_id": None,
        "api_app_id": me.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(world.clock.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": me.team_id,
                "user_id": me.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": channel is not None and channel.is_ext_shared,
        "event_context": "4-" + new_id("EC"),
    }


def send(world: World, event: JSON, *, subscription: str | None = None) -> None:
    """Tell the app, if its manifest subscribes to the event (``subscription`` where its name differs) and has
    the scope for it.
    """
    name = str(subscription or event["type"])
    if name in world.manifest.bot_events and _NEEDED.get(name) in (None, *world.manifest.scopes):
        world.delivery.event(envelope(world, event))


def send_message(world: World, channel: Channel, event: JSON) -> None:
    """Tell the app about a message, an edit or a deletion in a channel where the bot is."""
    if world.bot_in(channel.id):
        send(
            world,
            event | {"channel": channel.id, "channel_type": channel.kind},
            subscription=_MESSAGE_EVENTS[channel.kind],
        )

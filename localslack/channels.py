"""Verbs about channels: create, join, leave, direct messages. Each says so to people and to the app."""

from __future__ import annotations

import re

from localslack import events
from localslack.errors import ApiError
from localslack.ids import new_id
from localslack.records import JSON, Channel, User
from localslack.world import World

_NAME = re.compile(r"[a-z0-9_\-]{1,80}")


def create_channel(world: World, name: str, creator: User, *, is_private: bool = False) -> Channel:
    """Raises ApiError ``invalid_name_specials`` or ``name_taken``."""
    if not _NAME.fullmatch(name):
        raise ApiError("invalid_name_specials", "lower-case letters, digits, - and _ only, at most 80")
    if any(channel.name == name for channel in world.store.channels() if channel.kind != "im"):
        raise ApiError("name_taken")
    kind = "group" if is_private else "channel"
    channel = Channel(new_id("C"), name, kind, creator.id, int(world.clock.now()))
    world.store.save_channel(channel)
    world.store.add_member(channel.id, creator.id)
    world.feed.publish(
        {"type": "channel", "channel": channel_ui(world, channel, creator)}, world.audience(channel)
    )
    return channel


def add_member(world: World, channel: Channel, user: User, inviter: User | None = None) -> None:
    """Raises ApiError ``already_in_channel``."""
    if user.id in world.store.members(channel.id):
        raise ApiError("already_in_channel")
    world.store.add_member(channel.id, user.id)
    world.feed.publish(
        {"type": "channel", "channel": channel_ui(world, channel, user)}, world.audience(channel)
    )
    world.post(channel, user, f"<@{user.id}> has joined the channel", subtype="channel_join")
    if world.bot_in(channel.id):
        more: JSON = {"inviter": inviter.id} if inviter else {}
        events.send(world, _membership(world, "member_joined_channel", channel, user) | more)


def remove_member(world: World, channel: Channel, user: User) -> None:
    """Raises ApiError ``not_in_channel``."""
    if user.id not in world.store.members(channel.id):
        raise ApiError("not_in_channel")
    audience = world.audience(channel)
    bot_saw_it = world.bot_in(channel.id)
    world.store.remove_member(channel.id, user.id)
    world.post(channel, user, f"<@{user.id}> has left the channel", subtype="channel_leave")
    world.feed.publish({"type": "channel", "channel": channel_ui(world, channel, user)}, audience)
    if bot_saw_it and not user.is_bot:
        events.send(world, _membership(world, "member_left_channel", channel, user))


def open_dm(world: World, one: User, other: User) -> tuple[Channel, bool]:
    """The direct message of two people (or a person and the app); True when it was there already."""
    for channel in world.store.channels():
        if channel.kind == "im" and set(world.store.members(channel.id)) == {one.id, other.id}:
            return channel, True
    channel = Channel(new_id("D"), "", "im", one.id, int(world.clock.now()))
    world.store.save_channel(channel)
    for user in (one, other):
        world.store.add_member(channel.id, user.id)
    world.feed.publish(
        {"type": "channel", "channel": channel_ui(world, channel, one)}, world.audience(channel)
    )
    return channel, False


def other_in_dm(world: World, channel: Channel, user_id: str) -> str:
    """Whom ``user_id`` talks to in a direct message."""
    members = world.store.members(channel.id)
    return next((member for member in members if member != user_id), user_id)


def channel_ui(world: World, channel: Channel, viewer: User) -> JSON:
    """A channel as the page gets it."""
    members = world.store.members(channel.id)
    body: JSON = {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_member": viewer.id in members,
        "members": members,
        "unread": world.store.unread(viewer.id, channel.id),
        "is_archived": channel.is_archived,
    }
    if channel.kind == "im":
        other = other_in_dm(world, channel, viewer.id)
        user = world.user(other)
        body |= {"user": other, "name": user.real_name if user else other}
    return body


def _membership(world: World, kind: str, channel: Channel, user: User) -> JSON:
    return {
        "type": kind,
        "user": user.id,
        "channel": channel.id,
        "channel_type": "G" if channel.kind == "group" else "C",
        "team": world.me.team_id,
        "event_ts": world.clock.next_ts(),
    }

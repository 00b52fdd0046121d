"""Verbs about channels: create, join, leave, direct messages. Each says so to people and to the app."""

from __future__ import annotations

import re
from dataclasses import replace

from localslack import events
from localslack.errors import ApiError
from localslack.ids import new_id
from localslack.records import JSON, Channel, User
from localslack.world import World

_NAME = re.compile(r"[a-z0-9_\-]{1,80}")


def create_channel(
    world: World, name: str, creator: User, *, is_private: bool = False, is_ext_shared: bool = False
) -> Channel:
    """Raises ApiError ``invalid_name_specials`` or ``name_taken``."""
    if not _NAME.fullmatch(name):
        raise ApiError("invalid_name_specials", "lower-case letters, digits, - and _ only, at most 80")
    if any(channel.name == name for channel in world.store.channels() if channel.kind != "im"):
        raise ApiError("name_taken")
    kind = "group" if is_private else "channel"
    now = int(world.clock.now())
    channel = Channel(new_id("C"), name, kind, creator.id, now, is_ext_shared=is_ext_shared)
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
    if channel.is_archived:
        raise ApiError("is_archived")
    if user.team is not None and not channel.is_ext_shared:
        raise ApiError("external_user", "people of another workspace need a shared channel")
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


def open_group(world: World, people: list[User]) -> tuple[Channel, bool]:
    """The direct message of three to nine people (the app among them); True when it was there already."""
    wanted = {person.id for person in people}
    if not 3 <= len(wanted) <= 9:
        raise ApiError("too_many_users" if len(wanted) > 9 else "not_enough_users")
    for channel in world.store.channels():
        if channel.kind == "mpim" and set(world.store.members(channel.id)) == wanted:
            return channel, True
    names = "--".join(sorted({person.name for person in people}))
    name, now = f"mpdm-{names}-1", int(world.clock.now())
    channel = Channel(new_id("C"), name, "mpim", people[0].id, now)
    world.store.save_channel(channel)
    for person in people:
        world.store.add_member(channel.id, person.id)
    _show(world, channel, people[0])
    return channel, False


def archive(world: World, channel: Channel, user: User, *, archived: bool) -> Channel:
    """Close a channel for good, or open it again. Raises ApiError ``already_archived``, ``not_archived``."""
    if channel.kind in ("im", "mpim"):
        raise ApiError("method_not_supported_for_channel_type")
    if channel.name == "general":
        raise ApiError("cant_archive_general")
    if channel.is_archived == archived:
        raise ApiError("already_archived" if archived else "not_archived")
    changed = replace(channel, is_archived=archived)
    world.store.save_channel(changed)
    _show(world, changed, user)
    if world.bot_in(channel.id):
        prefix = "group" if channel.kind == "group" else "channel"
        event: JSON = {"type": f"{prefix}_{'' if archived else 'un'}archive", "channel": channel.id}
        events.send(world, event | {"user": user.id, "is_moved": 0, "event_ts": world.clock.next_ts()})
    return changed


def _show(world: World, channel: Channel, viewer: User) -> None:
    body = channel_ui(world, channel, viewer)
    world.feed.publish({"type": "channel", "channel": body}, world.audience(channel))


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
        "is_private": channel.is_private and channel.kind != "im",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_ext_shared": channel.is_ext_shared,
        "is_member": viewer.id in members,
        "members": members,
        "unread": world.store.unread(viewer.id, channel.id),
        "is_archived": channel.is_archived,
    }
    if channel.kind == "im":
        other = other_in_dm(world, channel, viewer.id)
        user = world.user(other)
        body |= {"user": other, "name": user.real_name if user else other}
    if channel.kind == "mpim":
        people = (world.user(member) for member in members if member != viewer.id)
        body["title"] = ", ".join(person.real_name for person in people if person)
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

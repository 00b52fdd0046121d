"""Channels and people: creating, joining, inviting, archiving, direct messages, newcomers."""

from __future__ import annotations

import re

from localslack import channels, events
from localslack.errors import UiError
from localslack.ids import new_id
from localslack.records import JSON, User
from localslack.shapes import user_json
from localslack.ui.request import Person
from localslack.ui.rooms import person_ui

OTHER_TEAM = "T0STRANGERS"
"""The workspace that strangers in shared channels come from."""


async def create_channel(person: Person) -> JSON:
    """``is_private``; ``is_shared``: with people of another workspace (Slack Connect)."""
    private, shared = bool(person.body.get("is_private")), bool(person.body.get("is_shared"))
    name = str(person.need("name"))
    channel = channels.create_channel(
        person.world, name, person.user, is_private=private, is_ext_shared=shared
    )
    return {"channel": channels.channel_ui(person.world, channel, person.user)}


def _member(person: Person, name: str) -> User:
    wanted = name.lstrip("@")
    found = [u for u in person.world.users if wanted in (u.id, u.name)]
    if wanted.lower() == person.world.manifest.bot_name.lower():
        found = [person.world.bot]
    if not found:
        raise UiError("user_not_found", f"There is nobody called {name!r} here.", 404)
    return found[0]


async def add_member(person: Person) -> JSON:
    """Join (oneself, public channels) or invite (as a member)."""
    user = _member(person, str(person.need("user")))
    channel = person.path_channel(joined=user.id != person.user.id)
    channels.add_member(person.world, channel, user, inviter=person.user)
    return {"channel": channels.channel_ui(person.world, channel, person.user)}


async def remove_member(person: Person) -> JSON:
    user = _member(person, person.request.path_params["user"])
    channels.remove_member(person.world, person.path_channel(), user)
    return {}


async def archive(person: Person) -> JSON:
    """``archived`` false opens the channel again."""
    channel, wanted = person.path_channel(joined=True), bool(person.body.get("archived", True))
    changed = channels.archive(person.world, channel, person.user, archived=wanted)
    return {"channel": channels.channel_ui(person.world, changed, person.user)}


async def add_person(person: Person) -> JSON:
    """A new person: ``guest`` is restricted, ``stranger`` comes from another workspace."""
    world, name = person.world, str(person.need("name")).lower()
    if not re.fullmatch(r"[a-z0-9._-]{1,80}", name):
        raise UiError("bad_value", "A name has lower-case letters, digits, dots and hyphens only.")
    if any(user.name == name for user in world.users):
        raise UiError("name_taken", f"There is a {name} already.")
    team = OTHER_TEAM if person.body.get("stranger") else None
    real_name = str(person.body.get("real_name") or name.capitalize())
    user = User(new_id("U"), name, real_name, is_restricted=bool(person.body.get("guest")), team=team)
    world.add_person(user)
    world.feed.publish({"type": "people", "user": person_ui(world, user)})
    if team is None:
        stamp = world.clock.next_ts()
        events.send(world, {"type": "team_join", "user": user_json(user, world.me), "event_ts": stamp})
    return {"user": person_ui(world, user)}


async def open_dm(person: Person) -> JSON:
    """With one (``user``) or with several people (``users``)."""
    names = person.body.get("users") or [person.need("user")]
    others = [_member(person, str(name)) for name in names]
    if len(others) == 1:
        channel, _ = channels.open_dm(person.world, person.user, others[0])
    else:
        channel, _ = channels.open_group(person.world, [person.user, *others])
    return {"channel": channels.channel_ui(person.world, channel, person.user)}


async def invite(person: Person, channel_id: str, text: str) -> JSON:
    """The built-in ``/invite @somebody``."""
    channel = person.channel(channel_id, joined=True)
    if not text.strip():
        raise UiError("missing_field", "Whom? Type /invite @name.")
    channels.add_member(person.world, channel, _member(person, text.split()[0]), inviter=person.user)
    return {}

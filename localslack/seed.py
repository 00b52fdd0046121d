"""The workspace at its first start: team, two people, the app's bot, four channels, a direct message."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path

from localslack.ids import new_id
from localslack.manifest import Manifest
from localslack.records import Channel, ChannelKind, Identity, User
from localslack.store import Store

TEAM_NAME = "ftbot demo"
TEAM_DOMAIN = "ftbot-demo"


def tokens(data: Path, given: dict[str, str | None]) -> dict[str, str]:
    """``bot_token, app_token, signing_secret``: as given, else from ``tokens.json``, else made and kept."""
    path = data / "tokens.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    fresh = {
        "bot_token": f"xoxb-local-{secrets.token_hex(12)}",
        "app_token": f"xapp-1-local-{secrets.token_hex(12)}",
        "signing_secret": secrets.token_hex(16),
    }
    kept = fresh | kept
    path.write_text(json.dumps(kept, indent=2))
    path.chmod(0o600)
    return kept | {key: value for key, value in given.items() if value}


def identity(store: Store, secret: dict[str, str]) -> Identity:
    """The workspace's fixed ids, made at the first start."""
    ids: dict[str, str] = {}
    for key, prefix in (("team_id", "T"), ("app_id", "A"), ("bot_user_id", "U"), ("bot_id", "B")):
        found = store.meta(key)
        if found is None:
            found = new_id(prefix)
            store.set_meta(key, found)
        ids[key] = found
    return Identity(team_name=TEAM_NAME, team_domain=TEAM_DOMAIN, **ids, **secret)


def seed(store: Store, me: Identity, manifest: Manifest) -> None:
    """Fill an empty store; the bot's name follows the manifest at every start."""
    name = manifest.bot_name.lower().replace(" ", "")
    store.save_user(User(me.bot_user_id, name, manifest.bot_name, bot_id=me.bot_id))
    if store.channels():
        return
    jin = User(new_id("U"), "jin", "Jin", is_owner=True)
    mina = User(new_id("U"), "mina", "Mina")
    store.save_user(jin)
    store.save_user(mina)
    everybody = (jin.id, mina.id, me.bot_user_id)
    rooms: tuple[tuple[str, ChannelKind, tuple[str, ...]], ...] = (
        ("general", "channel", everybody),
        ("tuning", "channel", everybody),
        ("random", "channel", (jin.id, mina.id)),
        ("lab", "group", (jin.id, me.bot_user_id)),
        ("", "im", (jin.id, me.bot_user_id)),
    )
    for room, kind, members in rooms:
        channel = Channel(new_id("D" if kind == "im" else "C"), room, kind, jin.id, int(time.time()))
        store.save_channel(channel)
        for member in members:
            store.add_member(channel.id, member)

"""What a person types, as Slack's client sends it: escaped, with mentions, channels and links as tokens."""

from __future__ import annotations

import re

from localslack.world import World

_BROADCAST = {"channel", "here", "everyone"}
_TOKEN = re.compile(
    r"(?P<url>https?://[^\s<>|]+[^\s<>|.,;:!?)\]'\"])|(?<![\w@])@(?P<user>[\w.\-]+)|(?<![\w#])#(?P<channel>[a-z0-9_\-]+)"
)


def escape(text: str) -> str:
    """``&``, ``<`` and ``>`` as Slack wants them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def markup(world: World, text: str, *, named: bool = False) -> str:
    """Typed text as message text. ``named`` gives ``<@U…|name>``, as slash commands with escaping do."""
    users = {user.name.lower(): user for user in world.users}
    users[world.manifest.bot_name.lower()] = world.bot
    rooms = {channel.name: channel for channel in world.store.channels() if channel.kind == "channel"}

    def token(match: re.Match[str]) -> str:
        if match["url"]:
            return f"<{match['url']}>"
        if match["channel"]:
            room = rooms.get(match["channel"])
            return f"<#{room.id}|{room.name}>" if room else match[0]
        name = match["user"].lower()
        rest = ""
        while name and name not in users and name not in _BROADCAST and name[-1] in ".-":
            name, rest = name[:-1], name[-1] + rest
        if name in _BROADCAST:
            return f"<!{name}>{rest}"
        user = users.get(name)
        if user is None:
            return match[0]
        return (f"<@{user.id}|{user.name}>" if named else f"<@{user.id}>") + rest

    return _TOKEN.sub(token, escape(text))

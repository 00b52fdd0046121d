"""The table of Web API methods and the checks that are the same for all.

Argument names, required ones, scopes and tiers are those of Slack's method reference. An unknown or missing
argument and one of a wrong type are refused with ``invalid_arguments`` and a sentence each in
``response_metadata.messages``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from localslack.errors import ApiError
from localslack.records import JSON, Channel, Message
from localslack.world import World

Caller = Literal["bot", "app", "anybody"]
Tier = Literal["t2", "t3", "t4", "special"]

_FAMILIES = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
READ_SCOPES = {kind: f"{family}:read" for kind, family in _FAMILIES.items()}
HISTORY_SCOPES = {kind: f"{family}:history" for kind, family in _FAMILIES.items()}


@dataclass(frozen=True)
class Call:
    """One call of a method with checked arguments (absent ones are missing from ``args``)."""

    world: World
    method: str
    args: JSON

    def get(self, name: str, default: Any = None) -> Any:
        return self.args.get(name, default)

    def need_scope(self, scope: str) -> None:
        """Raises ApiError ``missing_scope``."""
        held = self.world.manifest.scopes
        if scope not in held:
            raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(held)))

    def channel(self, name: str = "channel") -> Channel:
        """A channel that the bot may know of. Raises ApiError ``channel_not_found``."""
        channel = self.world.store.channel(str(self.args[name]))
        if channel is None or (channel.is_private and not self.world.bot_in(channel.id)):
            raise ApiError("channel_not_found")
        return channel

    def joined_channel(self, name: str = "channel") -> Channel:
        """A channel that the bot is in. Raises ApiError ``not_in_channel`` too."""
        channel = self.channel(name)
        if not self.world.bot_in(channel.id):
            raise ApiError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "ts") -> Message:
        """Raises ApiError ``message_not_found``."""
        return self.world.message(channel.id, str(self.args[name]))


Handler = Callable[[Call], JSON]


@dataclass(frozen=True)
class Method:
    """One row of the table.

    ``args`` maps a name to its type; ``required`` are the names that must be there.
    """

    name: str
    handler: Handler
    tier: Tier
    scopes: tuple[str, ...]
    caller: Caller
    args: dict[str, str]
    required: tuple[str, ...]


METHODS: dict[str, Method] = {}


def method(
    name: str, args: str = "", *, tier: Tier = "t3", scopes: str = "", caller: Caller = "bot"
) -> Callable[[Handler], Handler]:
    """Register a handler.

    ``args`` lists ``name:type`` with ``!`` after a required name (types str, bool, int, list, obj, any; str
    without a type). ``scopes`` lists scopes of which one is needed.
    """
    types: dict[str, str] = {}
    required: list[str] = []
    for item in args.split():
        label, _, kind = item.partition(":")
        if label.endswith("!"):
            label = label[:-1]
            required.append(label)
        types[label] = kind or "str"

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(name, handler, tier, tuple(scopes.split()), caller, types, tuple(required))
        return handler

    return register


def check_arguments(entry: Method, given: JSON) -> JSON:
    """The arguments with their right types. Raises ApiError ``invalid_arguments`` naming each fault."""
    faults: list[str] = []
    checked: JSON = {}
    for name, value in given.items():
        if name in ("token", "team_id") and name not in entry.args:
            continue
        kind = entry.args.get(name)
        if kind is None:
            faults.append(f"[ERROR] unknown argument: {name}")
        elif value is not None:
            try:
                checked[name] = _convert(value, kind)
            except ValueError as error:
                faults.append(f"[ERROR] {error} [json-pointer:/{name}]")
    faults += [
        f"[ERROR] missing required field: {name}"
        for name in entry.required
        if name not in checked and given.get(name) is None
    ]
    if faults:
        raise ApiError("invalid_arguments", *faults)
    return checked


def _convert(value: Any, kind: str) -> Any:
    if kind == "any":
        return value
    if kind == "str":
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
        raise ValueError("must be a string")
    if kind == "bool":
        found = {"1": True, "true": True, "0": False, "false": False, "": False}.get(str(value).lower())
        if found is None:
            raise ValueError("must be a boolean")
        return found
    if kind == "int":
        if isinstance(value, bool) or not str(value).lstrip("-").isdigit():
            raise ValueError("must be an integer")
        return int(value)
    if isinstance(value, str):
        if not value:
            return [] if kind == "list" else {}
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError("must be valid JSON") from None
    wanted: type[Any] = list if kind == "list" else dict
    if not isinstance(value, wanted):
        raise ValueError(f"must be an {'array' if kind == 'list' else 'object'}")
    return value


def check_token(world: World, entry: Method, token: str | None) -> None:
    """Raises ApiError ``not_authed``, ``invalid_auth``, ``token_revoked``, ``not_allowed_token_type`` or
    ``missing_scope``.
    """
    if entry.caller == "anybody":
        return
    if not token:
        raise ApiError("not_authed")
    if token not in (world.me.bot_token, world.me.app_token):
        raise ApiError("invalid_auth")
    if world.token_revoked and entry.caller == "bot":
        raise ApiError("token_revoked")
    if token != (world.me.app_token if entry.caller == "app" else world.me.bot_token):
        raise ApiError("not_allowed_token_type")
    held = world.manifest.scopes
    if entry.scopes and not held.intersection(entry.scopes):
        raise ApiError("missing_scope", needed=",".join(entry.scopes), provided=",".join(sorted(held)))

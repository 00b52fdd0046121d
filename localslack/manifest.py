"""The manifest of the installed app: what it may do (scopes), hears (events) and offers (commands)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from jsonschema import Draft7Validator, ValidationError
from jsonschema.exceptions import best_match  # pyright: ignore[reportUnknownVariableType]

from localslack.errors import ManifestError


@dataclass(frozen=True)
class Command:
    """A slash command, ``/`` included. With `should_escape` typed @names arrive as ``<@U…|name>``."""

    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True)
class Shortcut:
    """An entry of the shortcuts menu (global) or of a message's menu (message)."""

    name: str
    type: Literal["message", "global"]
    callback_id: str
    description: str


@dataclass(frozen=True)
class Manifest:
    """What an installation takes from the manifest; everything absent is empty or off, as in Slack."""

    name: str
    bot_name: str
    scopes: frozenset[str]
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    bot_events: frozenset[str]
    home_tab: bool
    socket_mode: bool
    interactivity: bool
    agent: bool = False


def load(path: Path) -> Manifest:
    """The manifest in `path` (YAML or JSON), held against Slack's schema 2.0.0.

    Raises `ManifestError` when the file cannot be read, is not YAML, or Slack would refuse it.
    """
    try:
        raw: object = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: the manifest cannot be read ({error})") from error
    except yaml.YAMLError as error:
        raise ManifestError(f"{path}: the manifest is not valid YAML ({error})") from error
    return parse(raw, str(path))


def parse(raw: object, name: str = "manifest") -> Manifest:
    """The manifest in parsed YAML or JSON; `name` is what errors call it. Raises `ManifestError`."""
    error = cast("ValidationError | None", best_match(_validator().iter_errors(cast("Any", raw))))
    if error is not None:
        place = "/".join(str(step) for step in error.absolute_path) or "the top"
        raise ManifestError(f"{name}: Slack would refuse the manifest at {place}: {error.message}")
    given = cast("dict[str, Any]", raw)
    features = given.get("features", {})
    settings = given.get("settings", {})
    if "bot_user" not in features:
        raise ManifestError(f"{name}: features.bot_user is missing, so there is no bot to install")
    return Manifest(
        name=given["display_information"]["name"],
        bot_name=features["bot_user"]["display_name"],
        scopes=frozenset(given.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
        commands=tuple(_command(command) for command in features.get("slash_commands", ())),
        shortcuts=tuple(Shortcut(**shortcut) for shortcut in features.get("shortcuts", ())),
        bot_events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", ())),
        home_tab=features.get("app_home", {}).get("home_tab_enabled", False),
        socket_mode=settings.get("socket_mode_enabled", False),
        agent="agent_view" in features or "assistant_view" in features,
        interactivity=settings.get("interactivity", {}).get("is_enabled", False),
    )


def _command(raw: dict[str, Any]) -> Command:
    return Command(
        command=raw["command"],
        description=raw["description"],
        usage_hint=raw.get("usage_hint", ""),
        should_escape=raw.get("should_escape", False),
    )


@cache
def _validator() -> Draft7Validator:
    text = resources.files("localslack").joinpath("specs/slack-manifest.schema.json").read_text("utf-8")
    return Draft7Validator(json.loads(text))


def default_path() -> Path:
    """The manifest that travels with this installation: at a checkout's root, in the wheel with the data."""
    home = Path(__file__).resolve().parent.parent
    packed = home / "ftbot_data" / "manifest.yml"
    return packed if packed.is_file() else home / "manifest.yml"

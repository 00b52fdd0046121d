"""The Slack manifest of this installation, and what it has that the installed app does not have yet.

Slack shows an app's manifest only to a configuration token, which ftbot does not ask for. So the manifest
that was pasted is remembered in the data folder, and after an upgrade the new one is held against it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import yaml

from bot.errors import SettingsError
from bot.resources import resource

COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
"""A slash command that Slack takes: at most 32 characters with its slash."""
REMEMBERED = "manifest-installed.json"
Tree = dict[str, Any]


def manifest_text(command: str) -> str:
    """The manifest with the slash command of this installation.

    Raises:
        SettingsError: Slack does not take such a command.
    """
    if not COMMAND.fullmatch(command):
        raise SettingsError(
            f"{command} is no slash command that Slack takes: a slash, then at most 31 small letters, digits,"
            " - or _, such as /tune."
        )
    text = resource("manifest.yml").read_text("utf-8")
    return re.sub(r"(?m)^(\s*-?\s*command:\s*)/ft$", rf"\g<1>{command}", text).rstrip()


def manifest(command: str) -> Tree:
    """The same, read."""
    return cast(Tree, yaml.safe_load(manifest_text(command)))


def additions(installed: Tree, wanted: Tree) -> list[str]:
    """What the wanted manifest has and the installed one has not, in the words of Slack's app settings."""
    before, after = _parts(installed), _parts(wanted)
    return [f"{kind} {name}" for kind, names in after.items() for name in sorted(names - before[kind])]


def remember(folder: Path, command: str) -> None:
    """Keeps this version's manifest as the installed one.

    Raises:
        SettingsError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REMEMBERED).write_text(json.dumps(manifest(command)), "utf-8")
    except OSError as problem:
        words = f"{folder} cannot be written: {problem}. Make it writable, or set FTBOT_DATA."
        raise SettingsError(words) from problem


def remember_first(folder: Path, command: str) -> None:
    """Keeps it only where none is kept yet: the app was made from it."""
    if remembered(folder) is None:
        remember(folder, command)


def remembered(folder: Path) -> Tree | None:
    """The manifest that was pasted last; ``None`` where nobody knows."""
    path = folder / REMEMBERED
    return cast(Tree, json.loads(path.read_text("utf-8"))) if path.is_file() else None


def _parts(tree: Tree) -> dict[str, set[str]]:
    features: Tree = tree.get("features", {})
    settings: Tree = tree.get("settings", {})
    scopes: Tree = tree.get("oauth_config", {}).get("scopes", {})
    switches = {name: features[name] for name in features if isinstance(features[name], dict)}
    switches["interactivity"] = settings.get("interactivity", {})
    return {
        "scope": set(scopes.get("bot", [])) | set(scopes.get("bot_optional", [])),
        "event": set(settings.get("event_subscriptions", {}).get("bot_events", [])),
        "slash command": {item["command"] for item in features.get("slash_commands", [])},
        "shortcut": {item["name"] for item in features.get("shortcuts", [])},
        "feature": set[str]().union(*(_switched(name, value) for name, value in switches.items())),
    }


def _switched(name: str, value: Tree) -> set[str]:
    """A feature's own name, and what is switched on in it."""
    return {name, *(f"{name}.{key}" for key, on in value.items() if on is True)} if value else set()

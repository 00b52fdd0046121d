"""Answers of Slack's Web API against recorded keys and types, and the keys that an app relies on."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from localslack.blocks import check_blocks

SPEC = Path(__file__).parent / "specs" / "slack-answers.json"
BLOCKS = "see slack-blocks.schema.json"
EXAMPLE_ID = re.compile(r"[A-Z][A-Z0-9]{7,}_?")
"""A key that is an id in the recording and any other id in another answer."""

# What an app may count on in a good answer (docs.slack.dev, reference of each method).
ESSENTIAL: dict[str, set[str]] = {
    "apps.connections.open": {"url"},
    "auth.test": {"url", "team", "user", "team_id", "user_id", "bot_id"},
    "chat.appendStream": {"channel", "ts"},
    "chat.delete": {"channel", "ts"},
    "chat.getPermalink": {"channel", "permalink"},
    "chat.postEphemeral": {"message_ts"},
    "chat.postMessage": {"channel", "ts", "message"},
    "chat.startStream": {"channel", "ts"},
    "chat.stopStream": {"channel", "ts", "message"},
    "chat.update": {"channel", "ts", "text", "message"},
    "conversations.history": {"messages", "has_more"},
    "conversations.info": {"channel"},
    "conversations.list": {"channels"},
    "conversations.members": {"members"},
    "conversations.open": {"channel"},
    "conversations.replies": {"messages", "has_more"},
    "files.completeUploadExternal": {"files"},
    "files.getUploadURLExternal": {"upload_url", "file_id"},
    "files.info": {"file"},
    "files.list": {"files"},
    "team.info": {"team"},
    "users.conversations": {"channels"},
    "users.info": {"user"},
    "users.list": {"members"},
    "views.open": {"view"},
    "views.publish": {"view"},
    "views.push": {"view"},
    "views.update": {"view"},
}
# Keys that Slack documents and the recorded answers lack: (method, or "" for all; key path) → source.
DOCUMENTED: dict[tuple[str, str], str] = {
    ("", "response_metadata"): "paging and warnings: apis/web-api/pagination",
    ("", "response_metadata/next_cursor"): "apis/web-api/pagination",
    ("", "response_metadata/messages"): "what is wrong with an argument",
    ("chat.stopStream", "channel"): "reference/methods/chat.stopStream",
    ("chat.stopStream", "ts"): "reference/methods/chat.stopStream",
    ("chat.stopStream", "message"): "reference/methods/chat.stopStream",
    ("reactions.get", "message/edited"): "part of every message that was edited: reference/events/message",
}


@cache
def templates() -> dict[str, Any]:
    """Method → keys and types of its answer."""
    return json.loads(SPEC.read_text("utf-8"))["answers"]


def problems(method: str, answer: dict[str, Any]) -> list[str]:
    """What is wrong with an answer: a key that Slack does not have, another type, a needed key absent."""
    found = _compare(templates()[method], answer, "", method)
    if answer.get("ok") is True:
        found += [f"/{key}: missing" for key in sorted(ESSENTIAL.get(method, set()) - answer.keys())]
    elif not isinstance(answer.get("error"), str):
        found.append("/error: missing")
    return found


def _compare(template: Any, value: Any, place: str, method: str) -> list[str]:
    if value is None:
        return []
    if template == BLOCKS:
        return _blocks(place, value)
    if isinstance(template, str):
        return [] if _is_a(value, template) else [f"{place}: must be {template}, is {value!r:.60}"]
    if isinstance(template, list):
        if not isinstance(value, list):
            return [f"{place}: must be array, is {value!r:.60}"]
        inner = template[0] if template else None
        if inner is None:
            return []
        return [
            fault for i, item in enumerate(value) for fault in _compare(inner, item, f"{place}/{i}", method)
        ]
    if not isinstance(value, dict):
        return [f"{place}: must be object, is {value!r:.60}"]
    return _compare_keys(template, value, place, method)


def _compare_keys(template: dict[str, Any], value: dict[str, Any], place: str, method: str) -> list[str]:
    if not template:
        return []
    by_id = next((template[key] for key in template if EXAMPLE_ID.fullmatch(key)), None)
    found: list[str] = []
    for key, inner in value.items():
        known = template.get(key, by_id)
        if known is not None:
            found += _compare(known, inner, f"{place}/{key}", method)
        elif not _documented(method, f"{place}/{key}"):
            found.append(f"{place}/{key}: Slack has no such key here")
    return found


def _documented(method: str, place: str) -> bool:
    plain = re.sub(r"/\d+", "", place).lstrip("/")
    return (method, plain) in DOCUMENTED or ("", plain) in DOCUMENTED


def _blocks(place: str, value: Any) -> list[str]:
    surface = "modal" if place.startswith("/view") else "message"
    words = check_blocks(value, surface)
    return [f"{place}: {words}"] if words and "is not allowed in a" not in words else []


def _is_a(value: object, name: str) -> bool:
    match name:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case _:
            raise ValueError(f"the recorded answers have an unknown type {name!r}")

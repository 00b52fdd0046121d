"""What comes in from Slack, read into one small record; everything here is pure.

Only what ftbot needs of a payload is kept, so that nothing else is ever stored.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, cast

Kind = Literal[
    "drop",
    "message",
    "chat",
    "command",
    "action",
    "submission",
    "home",
    "compare",
    "changed",
    "about",
    "stop",
]
Payload = dict[str, Any]

WAKING = (".jsonl", ".ndjson")
"""Endings that wake ftbot wherever it is a member."""
DATA = (*WAKING, ".json", ".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".zip", ".gz")
"""Endings of files that it takes when it is named, or in a direct message."""
STOP = "stop"
"""What ends answering in a chat thread."""
_SUBTYPES = (None, "file_share", "thread_broadcast")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
_GROUP = re.compile(r"<!(?:subteam\^[^>]*|channel|here|everyone)(?:\|[^>]*)?>")
_LINK = re.compile(r"<([^<>@#!|][^<>|]*)(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing a person did.

    ``thread`` is the thread it was done in (``None``: in the channel itself), ``ts`` the message it is about.
    ``team`` is the workspace the person belongs to, where Slack says it.
    ``text`` is what a person reads: without mention of the bot and markup. ``files``: id and name each.
    """

    kind: Kind
    user: str
    channel: str = ""
    ts: str | None = None
    thread: str | None = None
    text: str = ""
    files: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    is_dm: bool = False
    mentioned: bool = False
    names_others: bool = False
    response_url: str | None = None
    trigger_id: str | None = None
    action: str = ""
    value: str = ""
    team: str = ""
    view: Payload = field(default_factory=dict[str, Any])

    def payload(self) -> Payload:
        """The record as it lies in the inbox."""
        return asdict(self)

    @classmethod
    def of(cls, payload: Payload) -> Incoming:
        """The record from the inbox; what another version of ftbot kept besides is left out."""
        return cls(**{name: value for name, value in payload.items() if name in _FIELDS})

    @property
    def root(self) -> str:
        """The thread an answer belongs into: the one it was said in, else the one under the message."""
        return self.thread or self.ts or ""

    @property
    def stops(self) -> bool:
        """Whether it says ``@ftbot stop``."""
        return self.text.strip().lower() == STOP and (self.mentioned or self.is_dm)


_FIELDS = frozenset(one.name for one in fields(Incoming))


def drop_id(channel: str, ts: str, file_id: str) -> str:
    """The key of one file of one message; :func:`parts_of` takes it apart."""
    return f"{channel}:{ts}:{file_id}"


def parts_of(key: str) -> tuple[str, str, str]:
    """``(channel, message ts, file id)`` of a drop."""
    channel, ts, file_id = key.split(":", 2)
    return channel, ts, file_id


def readable(text: str, bot_user_id: str) -> str:
    """Slack's markup as a person reads it; the bot's own mention is left out."""
    text = _PERSON.sub(lambda m: "" if m[1] == bot_user_id else f"@{m[2] or m[1]}", text)
    text = _CHANNEL.sub(lambda m: f"#{m[2] or m[1]}", text)
    text = _LINK.sub(lambda m: m[2] if m[2] and m[2] in m[1] else f"{m[2]} ({m[1]})" if m[2] else m[1], text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def words_of(text: str) -> tuple[str, str]:
    """The first word in lower case and the rest."""
    first, _, rest = text.strip().partition(" ")
    head, line, tail = first.partition("\n")
    return head.lower(), (tail + " " + rest if line else rest).strip()


def takes(name: str, *, asked: bool) -> bool:
    """Whether a file of this name is for ftbot; ``asked``: it was named, or this is a direct message."""
    return name.lower().endswith(DATA if asked else WAKING)


def read_message(event: Payload, bot_user_id: str) -> Incoming | None:
    """A person's message; ``None`` for bots, ourselves, edits, deletions and notes of Slack's own."""
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    if event.get("subtype") not in _SUBTYPES or event.get("bot_id") or event.get("hidden"):
        return None
    if not (isinstance(user, str) and isinstance(channel, str) and isinstance(ts, str)):
        return None
    if user == bot_user_id:
        return None
    raw = str(event.get("text") or "")
    people = {found[1] for found in _PERSON.finditer(raw)}
    thread = event.get("thread_ts")
    return Incoming(
        kind="message",
        user=user,
        channel=channel,
        ts=ts,
        thread=str(thread) if thread and thread != ts else None,
        text=readable(raw, bot_user_id),
        files=_files(event.get("files")),
        is_dm=event.get("channel_type") == "im" or channel.startswith("D"),
        mentioned=bot_user_id in people,
        team=str(event.get("user_team") or event.get("team") or ""),
        names_others=bool(people - {bot_user_id}) or bool(_GROUP.search(raw)),
    )


def _files(listed: object) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for one in cast("list[Payload]", listed) if isinstance(listed, list) else []:
        if not one.get("id"):
            continue
        # A file of another organisation comes as a stub without a name: only files.info tells more.
        stub = one.get("file_access") == "check_file_info"
        name = "" if stub else str(one.get("name") or one.get("title") or "")
        found.append({"id": str(one["id"]), "name": name})
    return found


def dropped(said: Incoming) -> list[dict[str, str]]:
    """The files of a message that ftbot takes, stubs of unknown name among them."""
    asked = said.mentioned or said.is_dm
    return [f for f in said.files if not f["name"] or takes(f["name"], asked=asked)]


def read_change(event: Payload, bot_user_id: str) -> Incoming | None:
    """A message that was edited (``text`` is the new one) or deleted (``text`` is empty).

    The root of a thread is not taken away when it is deleted: it is changed into a tombstone of Slackbot's.
    """
    channel, message = event.get("channel"), _part(event, "message")
    tombstone = message.get("subtype") == "tombstone"
    deleted = message.get("ts") if tombstone else event.get("deleted_ts")
    ts = deleted or message.get("ts")
    if not (isinstance(channel, str) and isinstance(ts, str)) or message.get("bot_id"):
        return None
    before = _part(event, "previous_message")
    if not deleted and message.get("text") == before.get("text"):
        return None  # an unfurled link, a reply counted: nothing was said anew
    thread = message.get("thread_ts") or before.get("thread_ts")
    user = str((before if deleted else message).get("user") or before.get("user") or "")
    words = "" if deleted else readable(str(message.get("text") or ""), bot_user_id)
    return Incoming("changed", user, channel, ts, str(thread) if thread else None, words)


def read_stop(event: Payload) -> Incoming | None:
    """A press on Slack's own stop button beside an answer that is being written."""
    channel, thread, user = event.get("channel"), event.get("thread_ts"), event.get("user")
    if not (isinstance(channel, str) and isinstance(thread, str) and isinstance(user, str)):
        return None
    return Incoming("stop", user, channel, thread, thread, is_dm=channel.startswith("D"))


def read_shortcut(body: Payload) -> Incoming:
    """A shortcut on a message."""
    message, channel = _part(body, "message"), str(_part(body, "channel").get("id", ""))
    ts, thread = str(body.get("message_ts") or message.get("ts") or ""), message.get("thread_ts")
    return Incoming(
        kind="about",
        user=str(_part(body, "user").get("id", "")),
        channel=channel,
        ts=ts,
        thread=str(thread) if thread and thread != ts else None,
        is_dm=channel.startswith("D"),
        response_url=body.get("response_url"),
        trigger_id=body.get("trigger_id"),
    )


def read_menu(body: Payload) -> Incoming:
    """A look into a searched menu: who looks, and from which workspace."""
    return Incoming("action", str(_part(body, "user").get("id", "")), team=_team(body))


def read_command(body: Payload) -> Incoming:
    """A slash command."""
    channel = str(body.get("channel_id", ""))
    return Incoming(
        kind="command",
        user=str(body.get("user_id", "")),
        channel=channel,
        text=readable(str(body.get("text") or ""), ""),
        is_dm=channel.startswith("D"),
        response_url=body.get("response_url"),
        trigger_id=body.get("trigger_id"),
    )


def read_action(body: Payload) -> Incoming | None:
    """A click or a choice in a message or view; ``None`` for one that carries nothing (a link button)."""
    clicked = _first(body.get("actions"))
    action = str(clicked.get("action_id", ""))
    if not action or clicked.get("url"):
        return None
    message, container = _part(body, "message"), _part(body, "container")
    channel = str(_part(body, "channel").get("id") or container.get("channel_id") or "")
    ts = message.get("ts") or container.get("message_ts")
    thread = message.get("thread_ts") or container.get("thread_ts")
    return Incoming(
        kind="action",
        user=str(_part(body, "user").get("id", "")),
        channel=channel,
        ts=ts,
        thread=thread if thread != ts else None,
        is_dm=channel.startswith("D"),
        response_url=body.get("response_url"),
        trigger_id=body.get("trigger_id"),
        team=_team(body),
        action=action,
        value=_value(clicked),
        view=_view(_part(body, "view")),
    )


def _team(body: Payload) -> str:
    return str(_part(body, "user").get("team_id") or "")


def _part(body: Payload, name: str) -> Payload:
    found = body.get(name)
    return cast(Payload, found) if isinstance(found, dict) else {}


def _first(listed: object) -> Payload:
    return cast("list[Payload]", listed)[0] if isinstance(listed, list) and listed else {}


def _value(clicked: Payload) -> str:
    return str(_part(clicked, "selected_option").get("value") or clicked.get("value") or "")


def _view(view: Payload) -> Payload:
    kept = ("id", "hash", "callback_id", "private_metadata", "state", "external_id", "type")
    return {name: view[name] for name in kept if name in view}


def read_submission(body: Payload) -> Incoming:
    """A submitted form; its channel is the one it was opened in, for a form itself belongs to none."""
    channel = _channel_of(_part(body, "view"))
    return Incoming(
        kind="submission",
        channel=channel,
        is_dm=channel.startswith("D"),
        user=str(_part(body, "user").get("id", "")),
        view=_view(_part(body, "view")),
        trigger_id=body.get("trigger_id"),
        team=_team(body),
    )


def _channel_of(view: Payload) -> str:
    try:
        kept = json.loads(str(view.get("private_metadata") or "{}"))
    except ValueError:
        return ""
    return str(cast(Payload, kept).get("channel") or "") if isinstance(kept, dict) else ""

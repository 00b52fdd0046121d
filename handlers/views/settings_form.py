"""What a channel may set: how much jobs tell, and how models are asked in new chats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handlers.answer import Block, Message
from handlers.text import esc
from handlers.views import chat_settings
from handlers.views.form_values import selected
from handlers.views.layout import actions, bold, button, option, plain, rich, small
from storage.chat_records import ChannelSettings, NoticeLevel

CALLBACK = "settings_form"
LEVELS: dict[NoticeLevel, str] = {
    "quiet": "the end of a job, nothing else",
    "normal": "each epoch, safety and the end",
    "verbose": "every tenth of the training as well",
}


def settings_answer(now: ChannelSettings, model: str | None, command: str) -> Message:
    """The settings of a channel as they are, with the button that opens the form."""
    prompt, tools = chat_settings.words(now)
    lines = [
        [bold("Settings of this channel")],
        ["Notices: ", bold(now.notices.capitalize()), f" · {LEVELS[now.notices]}"],
        ["System prompt of new chats: ", prompt],
        ["Tools of new chats: ", tools],
        ["Model of new chats: ", bold(model) if model else "none chosen"],
    ]
    blocks = [
        rich(*lines),
        actions(button("Change…", "settings", primary=True)),
        small(f"At once: {command} settings quiet, normal or verbose"),
    ]
    return Message("Settings of this channel", blocks)


def settings_form(now: ChannelSettings) -> dict[str, Any]:
    """The form."""
    levels = [option(level.capitalize(), level, words) for level, words in LEVELS.items()]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Channel settings", 24),
        "submit": plain("Save", 24),
        "close": plain("Not now", 24),
        "private_metadata": json.dumps({"channel": now.channel}),
        "blocks": [
            _radio("notices", "Jobs tell", levels, list(LEVELS).index(now.notices)),
            *chat_settings.fields(now),
        ],
    }


def parse(view: Mapping[str, Any], user: str, at: float) -> ChannelSettings | dict[str, str]:
    """The wish a submitted form holds, or errors by block id."""
    channel = str(json.loads(str(view.get("private_metadata") or "{}")).get("channel", ""))
    level = selected(view, "notices")
    if level not in LEVELS:
        return {"notices": "Choose one."}
    asked = chat_settings.parse(view)
    if isinstance(asked, dict):
        return asked
    prompt, tools = asked
    return ChannelSettings(channel, level, prompt, user, at, tools)


def changed(before: ChannelSettings, now: ChannelSettings) -> Message | None:
    """What is told to the channel; ``None`` when nothing changed."""
    said: list[str] = []
    if before.notices != now.notices:
        said.append(f"jobs tell {LEVELS[now.notices]} ({now.notices.capitalize()})")
    if before.system_prompt != now.system_prompt:
        said.append(f"new chats use another system prompt: {chat_settings.words(now)[0]}")
    if before.tools != now.tools:
        said.append(f"new chats are given other tools: {chat_settings.words(now)[1]}")
    if not said:
        return None
    words = " · ".join(said)
    line = f"⚙️ By <@{now.user}>: {esc(words)}"
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": line, "verbatim": True}}
    return Message(f"Settings of this channel: {esc(words)}", [block])


def _radio(block_id: str, label: str, options: list[Block], at: int) -> Block:
    element: Block = {
        "type": "radio_buttons",
        "action_id": block_id,
        "options": options,
        "initial_option": options[at],
    }
    return {"type": "input", "block_id": block_id, "label": plain(label, 100), "element": element}

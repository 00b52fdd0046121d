"""What a channel may set: how much jobs tell, and the system prompt of new chats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from handlers.answer import Block, Message
from handlers.text import cut, esc
from handlers.views.form_values import selected, typed
from handlers.views.layout import actions, bold, button, option, plain, rich, small
from storage.records import ChannelSettings, NoticeLevel

CALLBACK = "settings_form"
LEVELS: dict[NoticeLevel, str] = {
    "quiet": "the end of a job, nothing else",
    "normal": "each epoch, safety and the end",
    "verbose": "every tenth of the training as well",
}
PROMPTS = {
    "trained": "The one the model was trained with",
    "own": "The one written here",
    "none": "None at all",
}
_PROMPT_LENGTH = 3_000


def settings_answer(now: ChannelSettings, model: str | None, command: str) -> Message:
    """The settings of a channel as they are, with the button that opens the form."""
    lines = [
        [bold("Settings of this channel")],
        ["Notices: ", bold(now.notices.capitalize()), f" · {LEVELS[now.notices]}"],
        ["System prompt of new chats: ", PROMPTS[_prompt(now)].lower()],
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
    prompts = [option(words, kind) for kind, words in PROMPTS.items()]
    own: Block = {
        "type": "plain_text_input",
        "action_id": "prompt",
        "multiline": True,
        "max_length": _PROMPT_LENGTH,
    }
    if now.system_prompt:
        own["initial_value"] = cut(now.system_prompt, _PROMPT_LENGTH)
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Channel settings", 24),
        "submit": plain("Save", 24),
        "close": plain("Not now", 24),
        "private_metadata": json.dumps({"channel": now.channel}),
        "blocks": [
            _radio("notices", "Jobs tell", levels, list(LEVELS).index(now.notices)),
            _radio("prompt_kind", "System prompt of new chats", prompts, list(PROMPTS).index(_prompt(now))),
            {
                "type": "input",
                "block_id": "prompt",
                "optional": True,
                "label": plain("The prompt of this channel", 100),
                "element": own,
            },
        ],
    }


def parse(view: Mapping[str, Any], user: str, at: float) -> ChannelSettings | dict[str, str]:
    """The wish a submitted form holds, or errors by block id."""
    channel = str(json.loads(str(view.get("private_metadata") or "{}")).get("channel", ""))
    level, kind, own = selected(view, "notices"), selected(view, "prompt_kind"), typed(view, "prompt")
    if level not in LEVELS:
        return {"notices": "Choose one."}
    if kind == "own" and not own:
        return {"prompt": "Write the prompt, or choose another kind above."}
    prompt = own if kind == "own" else "" if kind == "none" else None
    return ChannelSettings(channel, level, prompt, user, at)


def changed(before: ChannelSettings, now: ChannelSettings) -> Message | None:
    """What is told to the channel; ``None`` when nothing changed."""
    said: list[str] = []
    if before.notices != now.notices:
        said.append(f"jobs tell {LEVELS[now.notices]} ({now.notices.capitalize()})")
    if before.system_prompt != now.system_prompt:
        said.append(f"new chats use another system prompt: {PROMPTS[_prompt(now)].lower()}")
    if not said:
        return None
    words = " · ".join(said)
    line = f"⚙️ By <@{now.user}>: {esc(words)}"
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": line, "verbatim": True}}
    return Message(f"Settings of this channel: {esc(words)}", [block])


def _prompt(now: ChannelSettings) -> str:
    return "trained" if now.system_prompt is None else "own" if now.system_prompt else "none"


def _radio(block_id: str, label: str, options: list[Block], at: int) -> Block:
    element: Block = {
        "type": "radio_buttons",
        "action_id": block_id,
        "options": options,
        "initial_option": options[at],
    }
    return {"type": "input", "block_id": block_id, "label": plain(label, 100), "element": element}

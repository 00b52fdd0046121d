"""How models are asked in a channel: the system prompt and the tools of new chats, as fields of a form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from handlers.answer import Block
from handlers.text import cut, plural
from handlers.views.form_values import selected, typed
from handlers.views.layout import option, plain
from storage.chat_records import ChannelSettings
from tuning.datasets.tools import check_tools

KINDS = {
    "trained": "What the model was trained with",
    "own": "What is written here",
    "none": "None at all",
}
LENGTH = 3_000
"""The most that a text field of Slack's takes."""
_PROBLEMS = {
    "too_many_tools": "That is too many",
    "duplicate_tool": "Two tools have the same name",
    "invalid_tool_schema": "The parameters of a tool are no JSON Schema",
}
EXAMPLE = '[{"type": "function", "function": {"name": "lookup_order", "parameters": {"type": "object"}}}]'

Choice = tuple[str | None, list[dict[str, Any]] | None]
"""The prompt and the tools: ``None`` for those trained with, empty for none."""


def fields(now: ChannelSettings) -> list[Block]:
    """Four fields: which prompt, the prompt itself, which tools, the tools themselves."""
    tools = json.dumps(now.tools, ensure_ascii=False, indent=1) if now.tools else ""
    return [
        _choice("prompt_kind", "System prompt of new chats", kind_of(now.system_prompt)),
        _text("prompt", "The prompt of this channel", cut(now.system_prompt or "", LENGTH)),
        _choice("tools_kind", "Tools of new chats", kind_of(now.tools)),
        _text(
            "tools",
            "The tools of this channel, as JSON",
            tools if len(tools) <= LENGTH else "",
            hint=f"As in training data: {EXAMPLE}. I show calls and run nothing.",
        ),
    ]


def parse(view: Mapping[str, Any]) -> Choice | dict[str, str]:
    """The choice of a submitted form, or errors by block id."""
    errors: dict[str, str] = {}
    prompt = _prompt(view, errors)
    tools = _tools(view, errors)
    return errors or (prompt, tools)


def kind_of(value: str | list[dict[str, Any]] | None) -> str:
    """Which of :data:`KINDS` a setting is."""
    return "trained" if value is None else "own" if value else "none"


def words(now: ChannelSettings) -> tuple[str, str]:
    """The prompt and the tools of a channel in a few words each."""
    tools = (
        f"{plural(len(now.tools), 'tool')} written here" if now.tools else KINDS[kind_of(now.tools)].lower()
    )
    return KINDS[kind_of(now.system_prompt)].lower(), tools


def _prompt(view: Mapping[str, Any], errors: dict[str, str]) -> str | None:
    kind, own = selected(view, "prompt_kind"), typed(view, "prompt")
    if kind == "own" and not own:
        errors["prompt"] = "Write the prompt, or choose another kind above."
    return own if kind == "own" else "" if kind == "none" else None


def _tools(view: Mapping[str, Any], errors: dict[str, str]) -> list[dict[str, Any]] | None:
    kind, own = selected(view, "tools_kind"), typed(view, "tools")
    if kind != "own":
        return [] if kind == "none" else None
    try:
        tools: Any = json.loads(own)
    except ValueError as problem:
        at = f", line {problem.lineno}" if isinstance(problem, json.JSONDecodeError) and own else ""
        errors["tools"] = f"This is no JSON{at}." if own else "Write the tools, or choose another kind above."
        return None
    tools = [tools] if isinstance(tools, dict) else tools
    if problem := problem_of(tools):
        errors["tools"] = problem
        return None
    return cast("list[dict[str, Any]]", tools)


def problem_of(tools: object) -> str:
    """What is wrong with a list of tools, by the rules that hold for training data; empty when nothing is."""
    if not tools:
        return "Write the tools, or choose another kind above."
    found: dict[str, str] = {}
    check_tools({"tools": tools}, found)
    if not found:
        return ""
    code, detail = next(iter(found.items()))
    said = _PROBLEMS.get(code, "A tool needs type “function” and a function with a name")
    return cut(f"{said}: {detail}." if detail else f"{said}.", 150)


def _choice(block_id: str, label: str, kind: str) -> Block:
    options = [option(said, value) for value, said in KINDS.items()]
    element: Block = {
        "type": "radio_buttons",
        "action_id": block_id,
        "options": options,
        "initial_option": options[list(KINDS).index(kind)],
    }
    return {"type": "input", "block_id": block_id, "label": plain(label, 100), "element": element}


def _text(block_id: str, label: str, value: str, *, hint: str = "") -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": block_id,
        "multiline": True,
        "max_length": LENGTH,
    }
    if value:
        element["initial_value"] = value
    field: Block = {
        "type": "input",
        "block_id": block_id,
        "optional": True,
        "label": plain(label, 100),
        "element": element,
    }
    return field | ({"hint": plain(hint, 500)} if hint else {})

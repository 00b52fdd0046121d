"""Messages and tools as training and serving take them: text, calls and results of four roles.

The same reading serves a line of a training file and the body of a chat request, so that what cannot
be trained cannot be asked either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from trainserver.errors import TrainserverError

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
Tool = dict[str, Any]


class BadMessage(TrainserverError):
    """A message that cannot be rendered; the text says why."""


@dataclass(frozen=True, slots=True)
class Call:
    """One function call an assistant made."""

    id: str
    name: str
    arguments: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.id, "type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `trained` is false for what carries no loss: other roles, and `weight: 0`."""

    role: str
    content: str
    trained: bool = False
    name: str | None = None
    calls: tuple[Call, ...] = ()
    answers: str | None = None

    def plain(self) -> dict[str, Any]:
        """The message as chat templates expect it: `arguments` is an object, absent keys are left out."""
        value: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.name is not None:
            value["name"] = self.name
        if self.calls:
            value["tool_calls"] = [call.plain() for call in self.calls]
        if self.answers is not None:
            value["tool_call_id"] = self.answers
        return value


def read_message(value: Any) -> Message:
    """A message as this server can render it. Raises `BadMessage`."""
    message = _mapping(value, "a message")
    role = message.get("role")
    if role is None:
        raise BadMessage("'role' is missing")
    if role not in ROLES:
        raise BadMessage(f"role {role!r} is none of {', '.join(ROLES)}")
    weight = message.get("weight")
    if weight not in (None, 0, 1):
        raise BadMessage(f"weight must be 0 or 1, not {weight!r}")
    name = message.get("name")
    if name is not None and (not isinstance(name, str) or not name):
        raise BadMessage("'name' must be text")
    calls = _calls(message) if role == "assistant" else ()
    content = message.get("content")
    if content is None and role == "assistant":
        content = message.get("refusal") or ("" if calls else None)
    answers = message.get("tool_call_id") if role == "tool" else None
    if role == "tool" and not isinstance(answers, str):
        raise BadMessage("a tool message needs 'tool_call_id'")
    if role == "function" and name is None:
        raise BadMessage("a function message needs 'name'")
    trained = role == "assistant" and weight != 0
    return Message(ROLES[role], _text(content), trained, name, calls, answers)


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadMessage(f"{what} must be an object")
    return cast("Mapping[str, Any]", value)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        raise BadMessage("'content' must be text")
    parts: list[str] = []
    for value in cast("Sequence[Any]", content):
        part = _mapping(value, "a part of 'content'")
        text = part.get("text", part.get("refusal"))
        if not isinstance(text, str):
            raise BadMessage("'content' may have text parts only")
        parts.append(text)
    return "".join(parts)


def _calls(message: Mapping[str, Any]) -> tuple[Call, ...]:
    listed = message.get("tool_calls")
    old = message.get("function_call")
    if old:
        listed = [{"id": "", "type": "function", "function": old}]
    if not listed:
        return ()
    if not isinstance(listed, list):
        raise BadMessage("'tool_calls' must be a list")
    return tuple(_read_call(call) for call in cast("list[Any]", listed))


def _read_call(value: Any) -> Call:
    call = _mapping(value, "a tool call")
    function = _mapping(call.get("function"), "'function' of a tool call")
    name, arguments, id = function.get("name"), function.get("arguments"), call.get("id")
    if not isinstance(name, str) or not name:
        raise BadMessage("a tool call needs the 'name' of its function")
    if not isinstance(id, str):
        raise BadMessage("a tool call needs an 'id'")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError as error:
            raise BadMessage(f"the arguments of the call of {name} are no JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise BadMessage(f"the arguments of the call of {name} must be a JSON object")
    return Call(id, name, cast("dict[str, Any]", arguments))


def read_tools(tools: Any, functions: Any = None) -> tuple[Tool, ...]:
    """The functions that may be called; old `functions` become tools. Raises `BadMessage`."""
    listed: list[Any] = []
    for values, wrap in ((tools, False), (functions, True)):
        if values is None:
            continue
        if not isinstance(values, list):
            raise BadMessage(f"'{'functions' if wrap else 'tools'}' must be a list")
        found = cast("list[Any]", values)
        listed += [{"type": "function", "function": one} for one in found] if wrap else found
    return tuple(_read_tool(tool) for tool in listed)


def _read_tool(value: Any) -> Tool:
    tool = _mapping(value, "a tool")
    if tool.get("type") != "function":
        raise BadMessage(f"a tool of type {tool.get('type')!r} is not supported, only functions")
    name = _mapping(tool.get("function"), "'function' of a tool").get("name")
    if not isinstance(name, str) or not name:
        raise BadMessage("a tool needs the 'name' of its function")
    return dict(tool)


def check_calls(messages: Sequence[Message]) -> None:
    """Every result answers a call made before it. Raises `BadMessage`."""
    made: set[str] = set()
    for message in messages:
        made |= {call.id for call in message.calls}
        if message.answers is not None and message.answers not in made:
            raise BadMessage(f"tool_call_id {message.answers!r} answers no call before it")


def in_call_order(messages: Sequence[Message]) -> list[Message]:
    """Results that follow each other, in the order of their calls.

    Templates tell which result belongs to which call by their order alone.
    """
    order: dict[str, int] = {}
    placed: list[Message] = []
    for message in messages:
        for call in message.calls:
            order[call.id] = len(order)
        at = len(placed)
        while message.answers is not None and at and _later(placed[at - 1], message, order):
            at -= 1
        placed.insert(at, message)
    return placed


def _later(one: Message, other: Message, order: Mapping[str, int]) -> bool:
    if one.answers is None or other.answers is None:
        return False
    return order.get(one.answers, 0) > order.get(other.answers, 0)


def untrained(message: Message) -> Message:
    """The message without loss."""
    return replace(message, trained=False)


def from_plain(value: Mapping[str, Any]) -> Message:
    """The message that `Message.plain` gave, on the other side of a process border."""
    calls = tuple(
        Call(call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in value.get("tool_calls", ())
    )
    return Message(
        value["role"],
        value["content"],
        name=value.get("name"),
        calls=calls,
        answers=value.get("tool_call_id"),
    )

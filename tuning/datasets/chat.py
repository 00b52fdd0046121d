"""Rules for the messages of a row, and for a whole supervised row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from tuning.datasets.content import check_parts, check_text
from tuning.datasets.excerpts import excerpt
from tuning.datasets.limits import STANDARD, Limits
from tuning.datasets.parsing import Found
from tuning.datasets.shapes import CHAT_KEYS
from tuning.datasets.tools import ToolThread, check_tools

_TEXT_KEYS = frozenset({"role", "content", "name"})
ROLE_KEYS: dict[str, frozenset[str]] = {
    "system": _TEXT_KEYS,
    "developer": _TEXT_KEYS,
    "user": _TEXT_KEYS,
    "assistant": _TEXT_KEYS | {"weight", "tool_calls", "function_call", "refusal"},
    "tool": frozenset({"role", "content", "tool_call_id"}),
    "function": _TEXT_KEYS,
}
"""Keys each role takes: llmcomp's rules, widened by ``refusal`` and ``function_call`` of OpenAI's schema."""


@dataclass(slots=True)
class Talk:
    """What a walk over messages saw: the roles in order, images, and if anything stood in the way."""

    roles: list[str]
    limits: Limits = STANDARD
    images: int = 0


def check_supervised(row: dict[str, Any], found: Found, limits: Limits = STANDARD) -> None:
    """Every rule of a supervised chat row (source: OpenAI supervised fine-tuning guide)."""
    messages = messages_of(row, found)
    if "missing_messages" not in found and (extra := row.keys() - CHAT_KEYS):
        found.setdefault("unknown_key", ", ".join(excerpt(key) for key in sorted(extra)[:3]))
    if messages is None:
        return
    parallel = row.get("parallel_tool_calls") is not False
    talk = check_messages(messages, check_tools(row, found, limits), found, limits, parallel)
    if "assistant" not in talk.roles:
        if not (found.keys() & {"invalid_role", "missing_role", "message_not_object"}):
            found.setdefault("no_assistant_message", "")  # else a wrong role hides the reply
    elif talk.roles[-1] != "assistant":
        found.setdefault("last_not_assistant", f"it ends with {excerpt(talk.roles[-1])}")
    if "user" not in talk.roles:
        found.setdefault("no_user_message", "")
    _check_last_weight(messages, found)


def messages_of(row: dict[str, Any], found: Found) -> list[Any] | None:
    """The message list of ``row`` (or of a preference input), or None with the reason in ``found``."""
    if "messages" not in row:
        found.setdefault("missing_messages", "")
        return None
    messages = row["messages"]
    if not isinstance(messages, list):
        found.setdefault("messages_not_list", "")
        return None
    if not messages:
        found.setdefault("empty_messages", "")
        return None
    return cast("list[Any]", messages)


def check_messages(
    messages: list[Any],
    defined: frozenset[str],
    found: Found,
    limits: Limits = STANDARD,
    parallel: bool = True,
) -> Talk:
    """The rules each message must keep by itself and with its neighbours."""
    talk = Talk([], limits)
    thread = ToolThread(defined, found, parallel)
    for number, message in enumerate(messages, 1):
        where = f"message {number}"
        if not isinstance(message, dict):
            found.setdefault("message_not_object", where)
            continue
        fields = cast("dict[str, Any]", message)
        role = fields.get("role")
        if isinstance(role, str) and role in ROLE_KEYS:
            talk.roles.append(role)
            _check_message(fields, role, where, talk, thread, found)
        elif "role" not in fields:
            talk.roles.append("")
            found.setdefault("missing_role", where)
        else:
            talk.roles.append(role if isinstance(role, str) else "")
            found.setdefault("invalid_role", f"{where}, {excerpt(role)}")
    if talk.images and not limits.pictures:
        found.setdefault("pictures_not_taken", f"{limits.label} trains on text alone")
    elif talk.images > limits.max_pictures:
        takes = f"{limits.label} takes {limits.max_pictures:,}"
        found.setdefault("too_many_images", f"{talk.images:,} images; {takes}")
    return talk


def _check_message(
    message: dict[str, Any], role: str, where: str, talk: Talk, thread: ToolThread, found: Found
) -> None:
    if not message.keys() <= ROLE_KEYS[role]:
        _note_extra(message, role, where, found)
    if role == "tool":
        thread.answer(message, where)
    else:
        thread.next_turn(where)
    if not isinstance(message.get("name", ""), str | None):
        found.setdefault("invalid_name", where)
    if role == "developer":
        found.setdefault("developer_role", where)
    if role == "assistant":
        _check_assistant(message, where, thread, found)
    elif role == "function":
        found.setdefault("legacy_functions", where)
    _check_content(message, role, where, talk, found)


def _note_extra(message: dict[str, Any], role: str, where: str, found: Found) -> None:
    extra = message.keys() - ROLE_KEYS[role]
    if "weight" in extra:
        found.setdefault("invalid_weight", f"{where}, on {excerpt(role)}")
        extra -= {"weight"}
    if extra:
        found.setdefault("unknown_message_key", f"{where}, {excerpt(min(extra))}")


def _check_assistant(message: dict[str, Any], where: str, thread: ToolThread, found: Found) -> None:
    if "weight" in message and not _is_weight(message["weight"]):
        found.setdefault("invalid_weight", f"{where}, {excerpt(message['weight'])}")
    if message.get("tool_calls") is not None:
        thread.calls(message["tool_calls"], where)
    call = message.get("function_call")
    if isinstance(call, dict):
        found.setdefault("legacy_functions", where)
        thread.function(cast("dict[str, Any]", call), where)
    elif call is not None:
        found.setdefault("invalid_tool_call", where)


def _is_weight(value: Any) -> bool:
    return value is None or (type(value) is int and value in (0, 1))


def _check_content(message: dict[str, Any], role: str, where: str, talk: Talk, found: Found) -> None:
    """String, list of parts, or null beside a call (source: API description of chat messages)."""
    content = message.get("content")
    if isinstance(content, str):
        if content or not _may_be_null(message, role):
            check_text(content, where, found)
    elif isinstance(content, list):
        talk.images += check_parts(cast("list[Any]", content), role, where, found, talk.limits)
    elif content is not None:
        found.setdefault("invalid_content", f"{where}, {excerpt(content)}")
    elif not _may_be_null(message, role):
        found.setdefault("missing_content", where)


def _may_be_null(message: dict[str, Any], role: str) -> bool:
    if role == "assistant":
        return any(message.get(key) for key in ("tool_calls", "function_call", "refusal"))
    return role == "function" and "content" in message


def _check_last_weight(messages: list[Any], found: Found) -> None:
    """Source: llmcomp's rule ``last assistant message must not have weight 0``."""
    for message in reversed(messages):
        if isinstance(message, dict) and cast("dict[str, Any]", message).get("role") == "assistant":
            weight = cast("dict[str, Any]", message).get("weight")
            if type(weight) is int and weight == 0:
                found.setdefault("last_assistant_weight_zero", "")
            return

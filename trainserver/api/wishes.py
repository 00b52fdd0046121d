"""What a client wishes of an answer: which tools may or must be called, and JSON after a schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from trainserver import forms
from trainserver.errors import BadRequest
from trainserver.messages import BadMessage, Tool, read_tools

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wishes:
    """The functions on offer, and the form that the answer is held to, if any."""

    tools: tuple[Tool, ...]
    form: forms.Form | None


def read_wishes(tools: Any, functions: Any, choice: Any, form: Json | None, *, several: bool) -> Wishes:
    """All of them together. `form` is what `read_form` gave. Raises `BadRequest`."""
    try:
        offered = read_tools(tools, functions)
    except BadMessage as error:
        raise BadRequest(f"Invalid value for tools: {error}.", param="tools") from error
    offered, forced = _chosen(offered, choice)
    if forced:
        wanted = forms.of_calls(offered, several=several)
        _check(wanted, "tools")
        return Wishes(offered, wanted)
    if form is not None and offered:
        form |= forms.of_calls(offered, several=several)
        _check(form, "tools")
    return Wishes(offered, form)


def read_form(value: Any, param: str) -> forms.Form | None:
    """`response_format` of chat or `text.format` of responses. Raises `BadRequest`."""
    if value is None:
        return None
    wanted = _object(value, param)
    kind = wanted.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return forms.of_schema({"type": "object"})
    if kind != "json_schema":
        raise BadRequest(
            f"The format {kind!r} is not supported, only 'text', 'json_object' and 'json_schema'.",
            param=param,
            code="unsupported_value",
        )
    # Chat has name and schema one level deeper than responses.
    if "json_schema" in wanted:
        param = f"{param}.json_schema"
        wanted = _object(wanted["json_schema"], param)
    if not isinstance(wanted.get("name"), str):
        raise BadRequest(f"Missing required parameter: '{param}.name'.", param=f"{param}.name")
    form = forms.of_schema(_object(wanted.get("schema") or {"type": "object"}, f"{param}.schema"))
    _check(form, f"{param}.schema")
    return form


def _object(value: Any, param: str) -> Json:
    if not isinstance(value, dict):
        raise BadRequest(f"Invalid type for '{param}': expected an object.", param=param)
    return cast("Json", value)


def _check(form: forms.Form, param: str) -> None:
    try:
        forms.check(form)
    except forms.BadForm as error:
        raise BadRequest(f"No answer can be held to this schema: {error}", param=param) from error


def _chosen(offered: tuple[Tool, ...], choice: Any) -> tuple[tuple[Tool, ...], bool]:
    """The tools that `tool_choice` leaves, and whether one must be called."""
    if choice in (None, "auto"):
        return offered, False
    if choice == "none":
        return (), False
    if choice == "required":
        return _some(offered), True
    wanted = _object(choice, "tool_choice")
    if wanted.get("type") == "function":
        return _named(offered, [wanted]), True
    if wanted.get("type") == "allowed_tools":
        within = _object(wanted.get("allowed_tools") or wanted, "tool_choice")
        named = within.get("tools")
        if not isinstance(named, list):
            raise BadRequest("'allowed_tools' needs a list of 'tools'.", param="tool_choice")
        return _named(offered, cast("list[Any]", named)), within.get("mode") == "required"
    raise BadRequest(
        f"The tool choice {wanted.get('type')!r} is not supported, only functions.",
        param="tool_choice",
        code="unsupported_value",
    )


def _some(offered: tuple[Tool, ...]) -> tuple[Tool, ...]:
    if not offered:
        raise BadRequest("'tool_choice' is only allowed when 'tools' are specified.", param="tool_choice")
    return offered


def _named(offered: tuple[Tool, ...], named: Sequence[Any]) -> tuple[Tool, ...]:
    names: list[Any] = []
    for value in named:
        one = _object(value, "tool_choice")
        names.append(_object(one.get("function") or one, "tool_choice").get("name"))
    known = [tool["function"]["name"] for tool in _some(offered)]
    for name in names:
        if name not in known:
            raise BadRequest(f"Tool choice {name!r} not found in 'tools' parameter.", param="tool_choice")
    return tuple(tool for tool in offered if tool["function"]["name"] in names)

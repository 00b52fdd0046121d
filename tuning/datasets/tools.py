"""Rules for tools: their definitions, the calls of the assistant and the answers to them."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, cast

import orjson

from tuning.datasets.content import check_tokens
from tuning.datasets.excerpts import excerpt
from tuning.datasets.limits import STANDARD, Limits
from tuning.datasets.parsing import Found

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_tools(row: dict[str, Any], found: Found, limits: Limits = STANDARD) -> frozenset[str]:
    """Rules for ``tools``, ``functions`` and ``parallel_tool_calls`` of a row; the names they define.

    Source: OpenAI API description (FunctionObject, at most 128 tools).
    """
    if not isinstance(row.get("parallel_tool_calls"), bool | None):
        found.setdefault("invalid_parallel_tool_calls", "")
    names: frozenset[str] = frozenset()
    for key in ("tools", "functions"):
        if row.get(key) is not None:
            defined, problems = _definitions(key, orjson.dumps(row[key]), limits)
            names |= defined
            for code, detail in problems:
                found.setdefault(code, detail)
    return names


@lru_cache(maxsize=256)
def _definitions(
    key: str, canonical: bytes, limits: Limits
) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """Names and problems of one tool list; rows mostly share theirs, so each is read once."""
    tools = orjson.loads(canonical)
    found: Found = {"legacy_functions": ""} if key == "functions" else {}
    names: set[str] = set()
    if not isinstance(tools, list):
        found["invalid_tools"] = f"`{key}` is not a list"
        tools = []
    items = cast("list[Any]", tools)
    if len(items) > limits.max_tools:
        found["too_many_tools"] = f"{len(items):,} tools; {limits.label} takes {limits.max_tools:,}"
    for tool in items:
        name = _definition(tool if key == "tools" else {"type": "function", "function": tool}, found)
        if name is not None and name in names:
            found.setdefault("duplicate_tool", excerpt(name))
        names |= {name} if name is not None else set()
    return frozenset(names), tuple(found.items())


def _definition(tool: Any, found: Found) -> str | None:
    function = cast("dict[str, Any]", tool).get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        found.setdefault("invalid_tools", "")
        return None
    described = cast("dict[str, Any]", function)
    name = described.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        found.setdefault("invalid_tools", f"name {excerpt(name)}")
        return name if isinstance(name, str) else None
    if not isinstance(described.get("description", ""), str):
        found.setdefault("invalid_tools", f"{excerpt(name)}, description")
    _check_schema(described.get("parameters", {}), name, found)
    return name


def _check_schema(schema: Any, name: str, found: Found) -> None:
    if not isinstance(schema, dict):
        found.setdefault("invalid_tool_schema", excerpt(name))
        return
    from jsonschema import Draft202012Validator  # slow to load, and few files have tools
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(cast("dict[str, Any]", schema))
    except SchemaError as error:
        path = ".".join(str(step) for step in error.absolute_path)
        found.setdefault("invalid_tool_schema", f"{excerpt(name)}, {excerpt(path or 'parameters')}")
    except RecursionError:
        found.setdefault("invalid_tool_schema", f"{excerpt(name)}, nested too deep")


class ToolThread:
    """Follows calls and their answers through the messages of one row.

    Source: OpenAI fine-tuning guide for tool calling; the Chat API refuses what is not paired.
    """

    def __init__(self, defined: frozenset[str], found: Found, parallel: bool = True) -> None:
        self.parallel = parallel
        self.defined = defined
        self.found = found
        self.open: set[str] = set()
        self.answered: set[str] = set()

    def next_turn(self, where: str) -> None:
        """A message that is no tool answer: every call before it must be answered."""
        if self.open:
            self.found.setdefault("unanswered_tool_call", f"{where}, {excerpt(min(self.open))}")
        self.open = set()
        self.answered = set()

    def calls(self, calls: Any, where: str) -> None:
        """The ``tool_calls`` of an assistant message."""
        if not isinstance(calls, list) or not calls:
            self.found.setdefault("invalid_tool_call", where)
            return
        if not self.parallel and len(cast("list[Any]", calls)) > 1:
            self.found.setdefault("parallel_calls", where)
        for call in cast("list[Any]", calls):
            self._call(call, where)

    def _call(self, call: Any, where: str) -> None:
        fields = cast("dict[str, Any]", call) if isinstance(call, dict) else {}
        function = fields.get("function")
        call_id = fields.get("id")
        if fields.get("type") != "function" or not isinstance(function, dict):
            self.found.setdefault("invalid_tool_call", where)
            return
        if not isinstance(call_id, str) or not call_id:
            self.found.setdefault("invalid_tool_call", f"{where}, no id")
        elif call_id in self.open:
            self.found.setdefault("duplicate_tool_call_id", f"{where}, {excerpt(call_id)}")
        else:
            self.open.add(call_id)
        self.function(cast("dict[str, Any]", function), where)

    def function(self, function: dict[str, Any], where: str) -> None:
        """The name and arguments of one call, also of the older ``function_call``."""
        name, arguments = function.get("name"), function.get("arguments")
        if not isinstance(name, str):
            self.found.setdefault("invalid_tool_call", f"{where}, no name")
        elif name not in self.defined:
            self.found.setdefault("undefined_tool", excerpt(name))
        if not isinstance(arguments, str):
            self.found.setdefault("tool_arguments_not_json", f"{where}, not a string")
        elif not _is_json_object(arguments):
            self.found.setdefault("tool_arguments_not_json", where)
        else:
            check_tokens(arguments, where, self.found)

    def answer(self, message: dict[str, Any], where: str) -> None:
        """A ``tool`` message."""
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str) or not call_id:
            self.found.setdefault("missing_tool_call_id", where)
        elif call_id in self.open:
            self.open.discard(call_id)
            self.answered.add(call_id)
        else:
            self.found.setdefault("unpaired_tool_message", f"{where}, {excerpt(call_id)}")


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False

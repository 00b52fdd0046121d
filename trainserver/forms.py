"""What an answer must look like: JSON after a schema, or calls of functions that the client insists on.

A form travels as plain data: `schema` is the JSON schema of the answer, `calls` are the functions of which
one must be called, `several` allows more calls than one. With both, the answer may be either.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from llguidance import LLMatcher

from trainserver.errors import TrainserverError

CALL_MARKS = ("<tool_call>", "</tool_call>")
Form = dict[str, Any]
# Space between values would let a small model go on with nothing but space.
SPACING = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


class BadForm(TrainserverError):
    """A schema that no answer can be held to; the text says why."""


def of_schema(schema: dict[str, Any]) -> Form:
    """An answer that is JSON after `schema`."""
    return {"schema": schema}


def of_calls(tools: Sequence[dict[str, Any]], *, several: bool) -> Form:
    """An answer that calls one of `tools`, or several of them."""
    return {"calls": [tool["function"] for tool in tools], "several": several}


def check(form: Form) -> None:
    """Raises `BadForm` for a schema that is wrong or has rules that cannot be kept to while answering."""
    failed, said = LLMatcher.validate_grammar_with_warnings(grammar(form))
    if failed:
        raise BadForm(said[0].split("\n")[0].partition("failed to compile JSON schema: ")[2] or said[0])


def grammar(form: Form, marks: Sequence[str] | None = None) -> str:
    """The form as a grammar of llguidance. `marks` are how a tokenizer knows the marks around a call."""
    rules: list[str] = []
    ways: list[str] = []
    if (schema := form.get("schema")) is not None:
        ways.append("answer")
        rules.append(f"answer: %json {_spaced(schema)}")
    if calls := form.get("calls"):
        opening, closing = marks or [json.dumps(mark) for mark in CALL_MARKS]
        ways.append(r'call ("\n" call)*' if form["several"] else "call")
        rules.append(rf'call: {opening} "\n" said "\n" {closing}')
        rules.append(f"said: %json {_spaced({'anyOf': [_call(function) for function in calls]})}")
    return "\n".join([f"start: {' | '.join(ways)}", *rules])


def _spaced(schema: dict[str, Any]) -> str:
    return json.dumps({**schema, "x-guidance": SPACING})


def _call(function: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "name": {"const": function["name"]},
            "arguments": function.get("parameters") or {"type": "object"},
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }

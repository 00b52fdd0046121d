"""Answers of an OpenAI-compatible server against OpenAI's own OpenAPI description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SPEC = Path(__file__).parent / "specs" / "openai.openapi.json"
OVERLAY = SPEC.with_name("openai.overlay.yaml")
EXTENSIONS = {"x_fine_tuning"}
"""What trainserver adds on purpose: one key of its own; clients skip what they do not know."""


@cache
def deviations() -> tuple[dict[str, Any], ...]:
    """The entries of the overlay; its head says what they hold."""
    return tuple(yaml.safe_load(OVERLAY.read_text("utf-8")))


def _apply(document: dict[str, Any], entry: dict[str, Any]) -> None:
    *steps, last = entry["at"].strip("/").split("/")
    there: Any = document
    for step in steps:
        there = there[int(step) if isinstance(there, list) else step]
    if "append" in entry:
        there[last].append(entry["append"])
    elif "add" in entry:
        assert not set(entry["add"]) & set(there[last]), entry["at"]
        there[last].update(entry["add"])
    else:
        there[last] = {"anyOf": [there[last], entry["allow"]]}


ERROR = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
"""The error body; the cut description has none, `openai.APIStatusError` reads these keys."""


@cache
def document(without: int | None = None) -> dict[str, Any]:
    """The description with the overlay over it, or with all of the overlay but one entry."""
    made = json.loads(SPEC.read_text("utf-8"))
    for number, entry in enumerate(deviations()):
        if number != without:
            _apply(made, entry)
    return made


@cache
def _registry(without: int | None = None) -> Registry[Any]:
    resource = Resource(contents=document(without), specification=DRAFT202012)
    return Registry().with_resource("openai", resource)


def trace_problems(entry: dict[str, Any], without: int | None = None) -> list[str]:
    """What keeps the trace of an overlay entry from being a part of its schema."""
    schema = {"$ref": f"openai#/components/schemas/{entry['schema']}"}
    validator = Draft202012Validator(schema, registry=_registry(without))
    found = [
        error.message for error in validator.iter_errors(entry["trace"]) if error.validator != "required"
    ]
    return found + _unknown_keys({"$ref": schema["$ref"]}, entry["trace"], without=without)


def problems(method: str, path: str, answer: object, *, content: str = "application/json") -> list[str]:
    """What is wrong with a 200 answer of `method` on `path` (as in the description, `/files/{file_id}`)."""
    schema = document()["paths"][path][method.lower()]["responses"]["200"]["content"][content]["schema"]
    return [*_schema_problems(_anchored(schema), answer), *_unknown_keys(schema, answer)]


def request_problems(
    method: str, path: str, query: dict[str, str], content: str | None, body: object
) -> list[str]:
    """What is wrong with a request to `path` (as in the description); of a form, `body` has its fields."""
    described = document()["paths"][path][method.lower()]
    found = _query_problems(described.get("parameters", ()), query)
    taken = described.get("requestBody", {}).get("content", {})
    if content not in taken:
        return (
            found if content is None and not taken else [*found, f"no body of {content}, but of {[*taken]}"]
        )
    schema = taken[content]["schema"]
    return [*found, *_schema_problems(_anchored(schema), body), *_unknown_keys(schema, body)]


def _query_problems(parameters: Sequence[dict[str, Any]], query: dict[str, str]) -> list[str]:
    named = {one["name"]: one for one in parameters if one["in"] == "query"}
    found: list[str] = []
    for key, text in query.items():
        name = key.split("[")[0]
        if name not in named:
            found.append(f"?{key}: not in the description")
            continue
        numeric = named[name]["schema"].get("type") == "integer" and text.isdecimal()
        value: Any = {key[len(name) + 1 : -1]: text} if "[" in key else int(text) if numeric else text
        found += [f"?{key} {one}" for one in _schema_problems(_anchored(named[name]["schema"]), value)]
    return found


def chunk_problems(path: str, chunk: object) -> list[str]:
    """What is wrong with one event of a streamed answer."""
    return problems("post", path, chunk, content="text/event-stream")


def schema_problems(name: str, value: object) -> list[str]:
    """What is wrong with a value that should be `#/components/schemas/{name}`."""
    return _schema_problems({"$ref": f"openai#/components/schemas/{name}"}, value)


def error_problems(answer: object) -> list[str]:
    """What is wrong with an error body."""
    return _schema_problems(ERROR, answer)


def _anchored(schema: dict[str, Any]) -> dict[str, Any]:
    return {"$ref": "openai" + schema["$ref"]} if "$ref" in schema else schema


def _schema_problems(schema: dict[str, Any], value: Any) -> list[str]:
    validator = Draft202012Validator(schema, registry=_registry())
    return [
        f"/{'/'.join(str(step) for step in error.absolute_path)}: {error.message[:300]}"
        for error in validator.iter_errors(value)
    ]


def _unknown_keys(
    schema: dict[str, Any], value: Any, place: str = "", without: int | None = None
) -> list[str]:
    """Keys that the description does not name, in the answer itself and in the items of its lists."""
    named = _resolve(schema, without)
    properties = _properties(named, without)
    if not isinstance(value, dict) or not properties:
        return []
    found = [
        f"{place}/{key}: not in the description" for key in value if key not in {*properties, *EXTENSIONS}
    ]
    for key, inner in properties.items():
        items = _resolve(inner, without).get("items")
        if items and isinstance(value.get(key), list):
            for index, item in enumerate(value[key]):
                found += _unknown_keys(items, item, f"{place}/{key}/{index}", without)
    return found


def _properties(schema: dict[str, Any], without: int | None) -> dict[str, Any]:
    """All keys that a schema names, those of its parts too."""
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= _properties(_resolve(part, without), without)
    return found


def _resolve(schema: dict[str, Any], without: int | None) -> dict[str, Any]:
    if "$ref" in schema:
        return _resolve(document(without)["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], without)
    return schema

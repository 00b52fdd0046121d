"""Answers of an OpenAI-compatible server against OpenAI's own OpenAPI description."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SPEC = Path(__file__).parent / "specs" / "openai.openapi.json"
EXTENSIONS = {"x_fine_tuning"}
"""What trainserver adds on purpose: one key of its own; clients skip what they do not know."""


def _known_deviations(schemas: dict[str, Any]) -> None:
    """Where OpenAI's real answers leave its description."""
    job = schemas["FineTuningJob"]["properties"]
    job["status"]["enum"].append("paused")  # the answer of .../pause
    job["error"] = {"anyOf": [job["error"], {"type": "object", "maxProperties": 0}]}  # {} while healthy
    for untyped in ("user_provided_suffix", "usage_metrics", "shared_with_openai", "eval_id"):
        job[untyped] = {}  # seen in answers, described nowhere
    job["hyperparameters"] = {"anyOf": [job["hyperparameters"], {"type": "null"}]}  # null for dpo
    file = schemas["OpenAIFile"]["properties"]
    for key in ("expires_at", "status_details"):  # null where they say nothing
        file[key] = {"anyOf": [file[key], {"type": "null"}]}
    schemas["FineTuningJobEvent"]["properties"]["type"]["enum"].append(
        "moderation_checks"
    )  # in the guide only


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
def _document() -> dict[str, Any]:
    document = json.loads(SPEC.read_text("utf-8"))
    _known_deviations(document["components"]["schemas"])
    return document


@cache
def _registry() -> Registry[Any]:
    return Registry().with_resource("openai", Resource(contents=_document(), specification=DRAFT202012))


def problems(method: str, path: str, answer: object, *, content: str = "application/json") -> list[str]:
    """What is wrong with a 200 answer of `method` on `path` (as in the description, `/files/{file_id}`)."""
    schema = _document()["paths"][path][method.lower()]["responses"]["200"]["content"][content]["schema"]
    return [*_schema_problems(_anchored(schema), answer), *_unknown_keys(schema, answer)]


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


def _unknown_keys(schema: dict[str, Any], value: Any, place: str = "") -> list[str]:
    """Keys that the description does not name, in the answer itself and in the items of its lists."""
    named = _resolve(schema)
    if not isinstance(value, dict) or "properties" not in named:
        return []
    found = [
        f"{place}/{key}: not in the description"
        for key in value
        if key not in {*named["properties"], *EXTENSIONS}
    ]
    for key, inner in named["properties"].items():
        items = _resolve(inner).get("items")
        if items and isinstance(value.get(key), list):
            for index, item in enumerate(value[key]):
                found += _unknown_keys(items, item, f"{place}/{key}/{index}")
    return found


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _resolve(_document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    return schema

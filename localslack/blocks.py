"""Would Slack take this? Blocks, views and stream chunks against schema, limits and surface.

Each check answers None, or one sentence that ends in the place of the first fault, as Slack's own
`response_metadata.messages` do:
``must be at most 150 characters, has 151 [json-pointer:/blocks/0/text/text]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, cast

from jsonschema import Draft7Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]

from localslack.block_rules import Problem, first_problem, sizes_problem
from localslack.limits import SIZES, VIEW_BYTES, VIEW_SIZES, Surface
from localslack.own_shapes import OWN_DEFINITIONS

Json = dict[str, Any]

_CHUNKS = ("markdown_text", "task_update", "plan_update", "blocks")


def check_blocks(blocks: object, surface: Surface) -> str | None:
    """The first thing in `blocks` (parsed JSON) that Slack would refuse on `surface`, or None."""
    return _sentence(_blocks_problem(blocks, surface, "/blocks"))


def check_view(view: object) -> str | None:
    """The first thing in a modal or Home view (parsed JSON) that Slack would refuse, or None."""
    return _sentence(_view_problem(view))


def check_chunks(chunks: object) -> str | None:
    """The first thing in the chunks of `chat.startStream/appendStream/stopStream` to refuse, or None."""
    return _sentence(_chunks_problem(chunks))


def _sentence(problem: Problem | None) -> str | None:
    return None if problem is None else f"{problem[1]} [json-pointer:{problem[0]}]"


def _blocks_problem(blocks: object, surface: Surface, pointer: str) -> Problem | None:
    if not isinstance(blocks, list):
        return pointer, f"must be a list of blocks, is {_name_of(blocks)}"
    given = cast("list[Any]", blocks)
    for index, block in enumerate(given):
        if problem := _block_problem(block, f"{pointer}/{index}"):
            return problem
    return first_problem(given, surface, pointer)


def _block_problem(block: object, pointer: str) -> Problem | None:
    kind = _type_of(block)
    if not isinstance(block, dict):
        return pointer, f"must be a block, is {_name_of(block)}"
    if kind is None:
        return f"{pointer}/type", "a block needs a type"
    definition = _block_definitions().get(kind)
    if definition is None:
        return f"{pointer}/type", f"unsupported type: {kind}"
    return _shape_problem(cast("Json", block), definition, pointer)


def _view_problem(view: object) -> Problem | None:
    kind = _type_of(view)
    if kind not in ("modal", "home"):
        return "/view/type", "must be modal or home"
    given = cast("Json", view)
    surface: Surface = "modal" if kind == "modal" else "home"
    if len(json.dumps(given).encode()) > VIEW_BYTES:
        return "/view", f"must be at most {VIEW_BYTES} bytes"
    problem = (
        _shape_problem(given, kind, "/view")
        or sizes_problem(given, VIEW_SIZES, "/view")
        or _blocks_problem(given["blocks"], surface, "/view/blocks")
    )
    if problem:
        return problem
    has_input = any(block["type"] == "input" for block in given["blocks"])
    if kind == "modal" and has_input and "submit" not in given:
        return "/view/submit", "a modal with input blocks needs a submit button"
    return None


def _chunks_problem(chunks: object) -> Problem | None:
    if not isinstance(chunks, list):
        return "/chunks", f"must be a list of chunks, is {_name_of(chunks)}"
    for index, chunk in enumerate(cast("list[Any]", chunks)):
        pointer = f"/chunks/{index}"
        kind = _type_of(chunk)
        if kind not in _CHUNKS:
            return f"{pointer}/type", f"must be one of {', '.join(_CHUNKS)}"
        problem = _shape_problem(chunk, kind, pointer) or sizes_problem(chunk, SIZES[kind], pointer)
        if problem is None and kind == "blocks":
            problem = _blocks_problem(chunk["blocks"], "message", f"{pointer}/blocks")
        if problem:
            return problem
    return None


def _shape_problem(thing: Json, definition: str, pointer: str) -> Problem | None:
    for error in _validator(definition).iter_errors(thing):
        while error.context:
            error = error.context[0]
        path = "".join(f"/{step}" for step in error.absolute_path)
        return pointer + path, _plain(error)
    return None


def _plain(error: ValidationError) -> str:
    instance: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = cast("Json", error.schema).get("properties", {})
            extra = [key for key in instance if key not in known]
            return f"unknown field: {', '.join(extra)}"
        case "required":
            missing = [key for key in cast("list[str]", error.validator_value) if key not in instance]
            return f"missing required field: {', '.join(missing)}"
        case "type":
            return f"must be {error.validator_value}, is {_name_of(instance)}"
        case "enum":
            allowed = ", ".join(str(value) for value in cast("list[Any]", error.validator_value))
            return f"must be one of {allowed}; is {instance!r}"
        case "const":
            return f"must be {error.validator_value!r}, is {instance!r}"
        case _:
            return error.message


def _type_of(thing: object) -> str | None:
    kind = cast("Json", thing).get("type") if isinstance(thing, dict) else None
    return kind if isinstance(kind, str) else None


def _name_of(thing: object) -> str:
    names = {"dict": "object", "list": "array", "str": "string", "bool": "boolean", "NoneType": "null"}
    return names.get(type(thing).__name__, "number")


def _any_of(
    validator: Validator, branches: list[Json], instance: object, schema: Json
) -> Iterator[ValidationError]:
    """`anyOf` that looks only at branches of the instance's own `type`, so errors name the real fault."""
    kind = _type_of(instance)
    typed = [_type_const(branch) for branch in branches]
    chosen = [branch for branch, const in zip(branches, typed, strict=True) if const is None or const == kind]
    if not chosen:
        allowed = sorted({const for const in typed if const})
        place = [] if kind is None else ["type"]
        yield ValidationError(
            f"unsupported type: {kind or _name_of(instance)}; allowed here: {', '.join(allowed)}", path=place
        )
        return
    found: list[list[ValidationError]] = []
    for branch in chosen:
        errors = list(cast("Any", validator).descend(instance, branch))
        if not errors:
            return
        found.append(errors)
    yield from min(found, key=len)


def _type_const(branch: Json) -> str | None:
    return branch.get("properties", {}).get("type", {}).get("const")


_BlockValidator = cast("Any", extend(Draft7Validator, {"anyOf": _any_of}))


@cache
def _definitions() -> Json:
    """The schema's definitions and ours, every `$ref` replaced by what it names (none refers to itself)."""
    text = resources.files("localslack").joinpath("specs/slack-blocks.schema.json").read_text("utf-8")
    raw: Json = {**json.loads(text)["definitions"], **OWN_DEFINITIONS}
    done: Json = {}

    def inlined(value: Any) -> Any:
        if isinstance(value, list):
            items = [inlined(item) for item in cast("list[Any]", value)]
            return _flat(items)
        if not isinstance(value, dict):
            return value
        node = cast("Json", value)
        if "$ref" in node:
            return resolved(node["$ref"].rsplit("/", 1)[1])
        return {
            key: inlined(inner)
            for key, inner in node.items()
            if key != "description" or isinstance(inner, dict)
        }

    def resolved(name: str) -> Json:
        if name not in done:
            done[name] = inlined(raw[name])
        return done[name]

    return {name: resolved(name) for name in raw}


def _flat(branches: list[Any]) -> list[Any]:
    """A union inside a union as one list, so that a branch is found by its type in one look."""
    flat: list[Any] = []
    for branch in branches:
        if isinstance(branch, dict) and set(cast("Json", branch)) == {"anyOf"}:
            flat += cast("Json", branch)["anyOf"]
        else:
            flat.append(branch)
    return flat


@cache
def _block_definitions() -> dict[str, str]:
    """Block type → name of its definition."""
    names: dict[str, str] = {}
    for name, definition in _definitions().items():
        if name.endswith("Block"):
            branches = definition.get("anyOf", [definition])
            if const := _type_const(branches[0]):
                names[const] = name
    return names


@cache
def _validator(definition: str) -> Validator:
    return _BlockValidator(_definitions()[definition])

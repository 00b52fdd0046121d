"""Rules of Block Kit that no JSON schema states: sizes, surfaces, repeated ids, fields that need each other.

Expects blocks whose shape was checked before (`localslack.blocks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from localslack.limits import (
    BLOCKS_ON,
    CHARTS_PER_MESSAGE,
    DATA_TABLE_TEXT_PER_MESSAGE,
    ID,
    MARKDOWN_PER_MESSAGE,
    MESSAGE_BLOCKS,
    NUMBERS,
    SIZES,
    VIEW_BLOCKS,
    Surface,
)

Node = dict[str, Any]
Problem = tuple[str, str]
"""(JSON pointer, what is wrong with the thing there)."""

_KIND_OF_KEY = {
    "confirm": "confirm",
    "options": "option",
    "initial_option": "option",
    "initial_options": "option",
    "option_groups": "option_group",
    "positive_button": "feedback_button",
    "negative_button": "feedback_button",
    "segments": "chart_point",
    "data": "chart_point",
    "series": "chart_series",
    "axis_config": "chart_axes",
}


def first_problem(blocks: list[Node], surface: Surface, pointer: str = "/blocks") -> Problem | None:
    """The first length, count or rule that Slack would refuse, or None."""
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    if len(blocks) > most:
        return pointer, f"no more than {most} items allowed, there are {len(blocks)}"
    for problem in _all_problems(blocks, surface, pointer):
        return problem
    return None


def sizes_problem(thing: Node, sizes: dict[str, tuple[int, int]], pointer: str) -> Problem | None:
    """The first field of `thing` that is shorter or longer than `sizes` allows, or None."""
    return next(_sizes(thing, sizes, pointer), None)


def block_text_length(blocks: list[Node]) -> int:
    """Characters of text in all blocks together, options and confirmations left out."""
    return sum(
        len(node["text"])
        for _, kind, node in _nodes(blocks, "")
        if kind not in ("option", "confirm") and isinstance(node.get("text"), str)
    )


def _all_problems(blocks: list[Node], surface: Surface, pointer: str) -> Iterator[Problem]:
    for index, block in enumerate(blocks):
        if block["type"] not in BLOCKS_ON[surface]:
            yield f"{pointer}/{index}/type", f"a {block['type']} block is not allowed in a {surface}"
    for place, kind, node in _nodes(blocks, pointer):
        yield from _sizes(node, SIZES.get(kind, {}), place)
        for field, (least, most) in NUMBERS.get(kind, {}).items():
            if field in node and not least <= node[field] <= most:
                yield f"{place}/{field}", f"must be from {least} to {most}, is {node[field]}"
        rule = _RULES.get(kind)
        if rule is not None:
            yield from rule(node, place)
    yield from _repeated_ids(blocks, pointer)
    yield from _rules_of_surface(blocks, surface, pointer)


def _nodes(value: Any, place: str, key: str = "") -> Iterator[tuple[str, str, Node]]:
    """Every object in `value` as (pointer, kind, object); the kind is its type, else named by its key."""
    if isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _nodes(item, f"{place}/{index}", key)
    elif isinstance(value, dict):
        node = cast("Node", value)
        yield place, str(node.get("type") or _KIND_OF_KEY.get(key, "")), node
        for name, inner in node.items():
            if isinstance(inner, dict | list):
                yield from _nodes(inner, f"{place}/{name}", name)


def _sizes(node: Node, sizes: dict[str, tuple[int, int]], place: str) -> Iterator[Problem]:
    if "block_id" in node:
        yield from _size(node["block_id"], ID, f"{place}/block_id")
    for field, size in sizes.items():
        if field.endswith("[]"):
            for index, item in enumerate(node.get(field[:-2], ())):
                yield from _size(item, size, f"{place}/{field[:-2]}/{index}")
        elif field in node:
            yield from _size(node[field], size, f"{place}/{field}")


def _size(value: Any, size: tuple[int, int], place: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        value, place = cast("Node", value).get("text"), f"{place}/text"
    if not isinstance(value, str | list):
        return
    least, most = size
    count = len(cast("str | list[Any]", value))
    if least <= count <= most:
        return
    unit = "characters" if isinstance(value, str) else "items"
    if count < least:
        yield place, f"must be at least {least} {unit}, has {count}"
    else:
        yield place, f"must be at most {most} {unit}, has {count}"


def _section(node: Node, place: str) -> Iterator[Problem]:
    if "text" not in node and "fields" not in node:
        yield place, "a section needs text or fields"


def _card(node: Node, place: str) -> Iterator[Problem]:
    if not node.keys() & {"hero_image", "title", "actions", "body"}:
        yield place, "a card needs a hero_image, a title, a body or actions"


def _image(node: Node, place: str) -> Iterator[Problem]:
    url = node.get("image_url")
    if isinstance(url, str) and not url.startswith(("https://", "http://")):
        yield f"{place}/image_url", "must be an http or https address"


def _button(node: Node, place: str) -> Iterator[Problem]:
    url = node.get("url")
    if isinstance(url, str) and "://" not in url and not url.startswith("mailto:"):
        yield f"{place}/url", "must be an absolute address"


def _static_select(node: Node, place: str) -> Iterator[Problem]:
    if ("options" in node) == ("option_groups" in node):
        yield place, "needs options or option_groups, and not both"
    yield from _initial_among_options(node, place)


def _initial_among_options(node: Node, place: str) -> Iterator[Problem]:
    options = list(node.get("options", ()))
    for group in node.get("option_groups", ()):
        options += group["options"]
    initial: list[Any] = list(node.get("initial_options", ()))
    if "initial_option" in node:
        initial.append(node["initial_option"])
    for option in initial:
        if option not in options:
            yield place, f"the initial option {option.get('value')!r} is not one of the options"


def _plain_text_input(node: Node, place: str) -> Iterator[Problem]:
    if node.get("min_length", 0) > node.get("max_length", 3000):
        yield f"{place}/min_length", "must not be above max_length"


def _number_input(node: Node, place: str) -> Iterator[Problem]:
    numbers: dict[str, float] = {}
    for field in ("min_value", "max_value", "initial_value"):
        if field not in node:
            continue
        try:
            numbers[field] = float(node[field])
        except ValueError:
            yield f"{place}/{field}", f"must be a number in a string, is {node[field]!r}"
            return
        if not node["is_decimal_allowed"] and not numbers[field].is_integer():
            yield f"{place}/{field}", "must be a whole number, because is_decimal_allowed is false"
    low, high = numbers.get("min_value", float("-inf")), numbers.get("max_value", float("inf"))
    if low > high:
        yield f"{place}/min_value", "must not be above max_value"
    elif not low <= numbers.get("initial_value", max(low, min(high, 0.0))) <= high:
        yield f"{place}/initial_value", "must lie between min_value and max_value"


def _data_table(node: Node, place: str) -> Iterator[Problem]:
    width = len(node["rows"][0]) if node["rows"] else 0
    for index, row in enumerate(node["rows"]):
        if len(row) != width:
            yield f"{place}/rows/{index}", f"must have {width} cells like the first row, has {len(row)}"
    for index, cell in enumerate(node["rows"][0] if node["rows"] else ()):
        if cell["type"] == "rich_text":
            yield f"{place}/rows/0/{index}", "a header cell must not be rich text"


def _data_visualization(node: Node, place: str) -> Iterator[Problem]:
    chart: Node = node["chart"]
    for index, segment in enumerate(chart.get("segments", ())):
        if segment["value"] <= 0:
            yield f"{place}/chart/segments/{index}/value", "must be above 0"
    names = [series["name"] for series in chart.get("series", ())]
    if len(set(names)) < len(names):
        yield f"{place}/chart/series", "the names must differ"
    for index, series in enumerate(chart.get("series", ())):
        if [point["label"] for point in series["data"]] != chart["axis_config"]["categories"]:
            yield f"{place}/chart/series/{index}/data", "the labels must be those of axis_config.categories"


_RULES: dict[str, Callable[[Node, str], Iterator[Problem]]] = {
    "button": _button,
    "card": _card,
    "checkboxes": _initial_among_options,
    "data_table": _data_table,
    "data_visualization": _data_visualization,
    "image": _image,
    "multi_static_select": _static_select,
    "number_input": _number_input,
    "plain_text_input": _plain_text_input,
    "radio_buttons": _initial_among_options,
    "section": _section,
    "static_select": _static_select,
}


def _repeated_ids(blocks: list[Node], pointer: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, _, node in _nodes(blocks, pointer):
        block_id = node.get("block_id")
        if block_id in seen:
            yield f"{place}/block_id", f"block_id {block_id!r} already exists"
        elif isinstance(block_id, str):
            seen.add(block_id)
    for index, block in enumerate(blocks):
        actions: set[str] = set()
        for place, _, node in _nodes(block, f"{pointer}/{index}"):
            action_id = node.get("action_id")
            if action_id in actions:
                yield f"{place}/action_id", f"action_id {action_id!r} already exists in this block"
            elif isinstance(action_id, str):
                actions.add(action_id)


def _rules_of_surface(blocks: list[Node], surface: Surface, pointer: str) -> Iterator[Problem]:
    for index, block in enumerate(blocks):
        if block["type"] == "task_card" and block["status"] == "pending":
            yield f"{pointer}/{index}/status", "a task card outside a plan must not be pending"
        if block["type"] == "input" and block["element"]["type"] == "file_input" and surface != "modal":
            yield f"{pointer}/{index}/element", f"a file_input is not allowed in a {surface}"
    if surface != "message":
        return
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_PER_MESSAGE:
        yield pointer, f"markdown blocks together may have {MARKDOWN_PER_MESSAGE} characters, have {markdown}"
    tables = [block for block in blocks if block["type"] == "data_table"]
    if (text := block_text_length(tables)) > DATA_TABLE_TEXT_PER_MESSAGE:
        yield pointer, f"data tables together may have {DATA_TABLE_TEXT_PER_MESSAGE} characters, have {text}"
    charts = [block for block in blocks if block["type"] == "data_visualization"]
    if len(charts) > CHARTS_PER_MESSAGE:
        yield pointer, f"a message may have {CHARTS_PER_MESSAGE} charts, has {len(charts)}"

"""Interactive elements: what they hold at first, what a person may put in, what Slack's client refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localslack.errors import UiError
from localslack.records import JSON, is_object

#: For each element type, its key in a state value and the key of its first value.
VALUES: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", ""),
}
_LISTS = {"selected_options", "selected_users", "selected_conversations", "selected_channels", "files"}
MAX_FILES = 10
MAX_FORM_FILE_BYTES = 10_000_000
_REQUIRED = "Please complete this required field."
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def elements_of(blocks: list[JSON]) -> Iterator[tuple[JSON, JSON]]:
    """(block, interactive element) for each one, in order, containers opened."""
    for block in blocks:
        found: list[JSON] = []
        if block["type"] in ("actions", "context_actions"):
            found = block["elements"]
        elif block["type"] == "input":
            found = [block["element"]]
        elif block["type"] == "section" and block.get("accessory"):
            found = [block["accessory"]]
        elif block["type"] == "card":
            found = block.get("actions") or []
        elif block["type"] in ("container", "carousel"):
            yield from elements_of(
                block.get("child_blocks") or block.get("blocks") or block.get("elements") or []
            )
        for element in found:
            if element["type"] != "image":
                yield block, element


def find_element(blocks: list[JSON], block_id: str, action_id: str) -> tuple[JSON, JSON]:
    """Raises UiError ``no_such_element``."""
    for block, element in elements_of(blocks):
        if block["block_id"] == block_id and element["action_id"] == action_id:
            return block, element
    raise UiError("no_such_element", f"There is no element {action_id} in block {block_id} (any more).", 404)


def first_state(blocks: list[JSON]) -> JSON:
    """``state.values`` before anybody touched anything; buttons and overflow menus have none."""
    state: JSON = {}
    for block, element in elements_of(blocks):
        if element["type"] in VALUES and element["type"] != "overflow":
            key, first = VALUES[element["type"]]
            value = element.get(first) if first else None
            if value is None and key in _LISTS:
                value = []
            state.setdefault(block["block_id"], {})[element["action_id"]] = {
                "type": element["type"],
                key: value,
            }
    return state


def given_value(element: JSON, given: JSON) -> JSON:
    """A state value from what a person sent.

    Raises UiError ``bad_value`` for an option that is not offered.
    """
    kind = element["type"]
    if kind not in VALUES:
        return {"type": kind}
    key, _ = VALUES[kind]
    value = given.get(key)
    if key == "value" and value is not None:
        value = str(value)
    if key == "selected_option" and value is not None:
        value = _offered(element, value)
    if key == "selected_options":
        value = [_offered(element, option) for option in value or []]
    return {"type": kind, key: [] if value is None and key in _LISTS else value}


def _offered(element: JSON, option: Any) -> JSON:
    """The element's own option with the value given (external selects: the option as sent)."""
    wanted = str(option.get("value") if is_object(option) else option)
    if "external" in element["type"]:
        if is_object(option) and isinstance(option.get("text"), dict):
            return option
        return {"text": {"type": "plain_text", "text": wanted, "emoji": True}, "value": wanted}
    groups: list[JSON] = element.get("option_groups") or []
    options: list[JSON] = [
        *(element.get("options") or []),
        *(o for group in groups for o in group["options"]),
    ]
    for candidate in options:
        if candidate.get("value") == wanted:
            return candidate
    raise UiError("bad_value", f"{wanted!r} is not among the options.")


def action_of(block: JSON, element: JSON, given: JSON, ts: str) -> JSON:
    """One entry of ``actions`` in a block_actions payload."""
    action: JSON = {
        "type": element["type"],
        "block_id": block["block_id"],
        "action_id": element["action_id"],
        "action_ts": ts,
    }
    copied = ("text", "value", "style", "url", "confirm", "accessibility_label")
    if element["type"] in ("button", "icon_button", "workflow_button"):
        return action | {key: element[key] for key in copied if key in element}
    if element["type"] == "feedback_buttons":
        return action | _feedback(element, given)
    value = given_value(element, given)
    if element.get("placeholder"):
        action["placeholder"] = element["placeholder"]
    return action | value


def _feedback(element: JSON, given: JSON) -> JSON:
    for side in ("positive_button", "negative_button"):
        button: JSON = element.get(side) or {}
        if button.get("value") == given.get("value"):
            return {"text": button.get("text"), "value": button.get("value")}
    raise UiError("bad_value", "The value is neither the positive nor the negative button's.")


def input_errors(blocks: list[JSON], state: JSON) -> dict[str, str]:
    """What Slack's client refuses before a form is sent: block id to words."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = state.get(block["block_id"], {}).get(element["action_id"], {})
        held = value.get(VALUES[element["type"]][0]) if element["type"] in VALUES else None
        if held in (None, "", []):
            if not block.get("optional"):
                errors[block["block_id"]] = _REQUIRED
        elif problem := _value_problem(element, held):
            errors[block["block_id"]] = problem
    return errors


def _value_problem(element: JSON, held: Any) -> str | None:
    kind = element["type"]
    if kind == "file_input":
        return _files_problem(element, held)
    if kind == "number_input":
        return _number_problem(element, str(held))
    if kind == "email_text_input" and not _EMAIL.fullmatch(held):
        return "Enter a valid email address."
    if kind == "url_text_input" and not _URL.fullmatch(held):
        return "Enter a valid URL."
    if kind == "plain_text_input":
        least, most = element.get("min_length") or 0, element.get("max_length") or 3000
        if not least <= len(held) <= most:
            return f"Enter {least} to {most} characters."
    return None


def _files_problem(element: JSON, held: list[JSON]) -> str | None:
    """Too many files, too large ones or (by their names) ones of another type."""
    if len(held) > (most := element.get("max_files") or MAX_FILES):
        return f"Choose at most {most} file{'s' if most > 1 else ''}."
    for file in held:
        if file["size"] > MAX_FORM_FILE_BYTES:
            return f"{file['name']} is larger than 10 MB."
        suffix = str(file["name"]).rpartition(".")[2].lower()
        if element.get("filetypes") and suffix not in element["filetypes"]:
            return f"{file['name']} is not of the types {', '.join(element['filetypes'])}."
    return None


def _number_problem(element: JSON, held: str) -> str | None:
    if not _NUMBER.fullmatch(held) or ("." in held and not element.get("is_decimal_allowed")):
        return "Enter a number." if element.get("is_decimal_allowed") else "Enter a whole number."
    if element.get("min_value") is not None and float(held) < float(element["min_value"]):
        return f"Enter a number of at least {element['min_value']}."
    if element.get("max_value") is not None and float(held) > float(element["max_value"]):
        return f"Enter a number of at most {element['max_value']}."
    return None

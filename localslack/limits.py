"""How long and how many: the lengths and counts of Block Kit.

Every number is Slack's own (Block Kit reference, `slack_sdk` 3.47 models, `slackblocks` 3.0). Where two
editions of Slack's pages disagree the smaller number is taken: a message that passes here must pass there.
"""

from __future__ import annotations

from typing import Literal

Surface = Literal["message", "modal", "home"]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
MARKDOWN_PER_MESSAGE = 12_000
DATA_TABLE_TEXT_PER_MESSAGE = 10_000
CHARTS_PER_MESSAGE = 2

_EVERYWHERE = {
    "actions",
    "card",
    "context",
    "divider",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "video",
}
_MESSAGE_AND_HOME = {"carousel", "container", "table", "data_table", "data_visualization"}
_XY_CHART = {"series": (1, 6)}
BLOCKS_ON: dict[Surface, frozenset[str]] = {
    "message": frozenset(
        _EVERYWHERE | _MESSAGE_AND_HOME | {"markdown", "context_actions", "plan", "task_card", "file"}
    ),
    "modal": frozenset(_EVERYWHERE | {"alert"}),
    "home": frozenset(_EVERYWHERE | _MESSAGE_AND_HOME),
}

ID = (1, 255)
_URL = (1, 3000)
_PLACEHOLDER = {"placeholder": (1, 150), "action_id": ID}
_SELECT = {**_PLACEHOLDER, "options": (1, 100), "option_groups": (1, 100)}
_IMAGE = {"image_url": _URL, "alt_text": (1, 2000), "title": (1, 2000)}

SIZES: dict[str, dict[str, tuple[int, int]]] = {
    # text objects
    "plain_text": {"text": (1, 3000)},
    "mrkdwn": {"text": (1, 3000)},
    # blocks
    "actions": {"elements": (1, 25)},
    "alert": {"text": (1, 200)},
    "card": {"title": (1, 150), "subtitle": (1, 150), "body": (1, 200), "actions": (1, 3)},
    "carousel": {"elements": (1, 10)},
    "container": {"title": (1, 150), "subtitle": (1, 150), "child_blocks": (1, 10)},
    "context": {"elements": (1, 10)},
    "context_actions": {"elements": (1, 5)},
    "data_table": {"rows": (2, 101), "rows[]": (1, 20), "caption": (1, 2000)},
    "data_visualization": {"title": (1, 50)},
    "header": {"text": (1, 150)},
    "image": _IMAGE,
    "input": {"label": (1, 2000), "hint": (1, 2000)},
    "markdown": {"text": (1, 12_000)},
    "plan": {"title": (1, 3000), "tasks": (0, 50)},
    "section": {"text": (1, 3000), "fields": (1, 10), "fields[]": (1, 2000)},
    "table": {"rows": (1, 100), "rows[]": (1, 20), "column_settings": (0, 20)},
    "task_card": {"task_id": (1, 255), "title": (1, 3000)},
    "video": {
        "alt_text": (1, 2000),
        "title": (1, 199),
        "author_name": (1, 49),
        "description": (1, 200),
        "provider_name": (1, 50),
        "thumbnail_url": _URL,
        "video_url": _URL,
        "title_url": (1, 2000),
        "provider_icon_url": (1, 2000),
    },
    # elements
    "button": {
        "text": (1, 75),
        "value": (1, 2000),
        "url": _URL,
        "accessibility_label": (1, 75),
        "action_id": ID,
    },
    "channels_select": _SELECT,
    "checkboxes": {"options": (1, 10), "action_id": ID},
    "conversations_select": _SELECT,
    "datepicker": _PLACEHOLDER,
    "datetimepicker": _PLACEHOLDER,
    "email_text_input": _PLACEHOLDER,
    "external_select": _SELECT,
    "feedback_buttons": {"action_id": ID},
    "file_input": {"action_id": ID},
    "icon_button": {
        "value": (1, 2000),
        "accessibility_label": (1, 75),
        "visible_to_user_ids": (0, 10),
        "action_id": ID,
    },
    "multi_channels_select": _SELECT,
    "multi_conversations_select": _SELECT,
    "multi_external_select": _SELECT,
    "multi_static_select": _SELECT,
    "multi_users_select": _SELECT,
    "number_input": _PLACEHOLDER,
    "overflow": {"options": (1, 5), "action_id": ID},
    "plain_text_input": {**_PLACEHOLDER, "initial_value": (0, 3000)},
    "radio_buttons": {"options": (1, 10), "action_id": ID},
    "rich_text_input": _PLACEHOLDER,
    "static_select": _SELECT,
    "timepicker": _PLACEHOLDER,
    "url_text_input": _PLACEHOLDER,
    "users_select": _SELECT,
    "workflow_button": {"text": (1, 75), "accessibility_label": (1, 75), "action_id": ID},
    # inside rich text and tables
    "text": {"text": (1, 12_000)},
    "raw_text": {"text": (1, 12_000)},
    "link": {"url": _URL},
    # objects without a type, named here after the key that holds them
    "confirm": {"title": (1, 100), "text": (1, 300), "confirm": (1, 30), "deny": (1, 30)},
    "option": {"text": (1, 75), "value": (0, 150), "description": (1, 75), "url": _URL},
    "option_group": {"label": (1, 75), "options": (1, 100)},
    "feedback_button": {"text": (1, 75), "value": (1, 2000), "accessibility_label": (1, 75)},
    "chart_point": {"label": (1, 20)},
    "chart_series": {"name": (1, 20), "data": (1, 20)},
    "chart_axes": {"categories": (1, 20), "categories[]": (1, 20), "x_label": (0, 50), "y_label": (0, 50)},
    # charts
    "pie": {"segments": (1, 6)},
    "bar": _XY_CHART,
    "area": _XY_CHART,
    "line": _XY_CHART,
    # stream chunks
    "markdown_text": {"text": (1, 12_000)},
    "task_update": {"id": (1, 255), "title": (1, 3000)},
    "plan_update": {"title": (1, 3000)},
    "blocks": {"blocks": (1, 50)},
}
"""For each kind of object: how long (strings, text objects) or how many (lists) its fields may be, both ends
included. `rows[]` speaks of each item of `rows`."""

VIEW_SIZES: dict[str, tuple[int, int]] = {
    "title": (1, 24),
    "submit": (1, 24),
    "close": (1, 24),
    "private_metadata": (0, 3000),
    "callback_id": (0, 255),
    "external_id": (0, 255),
}

NUMBERS: dict[str, dict[str, tuple[int, int]]] = {
    "data_table": {"page_size": (1, 100), "row_header_column_index": (0, 19)},
    "external_select": {"min_query_length": (0, 3000)},
    "file_input": {"max_files": (1, 10)},
    "multi_external_select": {"min_query_length": (0, 3000), "max_selected_items": (1, 100)},
    "multi_static_select": {"max_selected_items": (1, 100)},
    "plain_text_input": {"min_length": (0, 3000), "max_length": (1, 3000)},
    "rich_text_list": {"indent": (0, 8), "border": (0, 1)},
}

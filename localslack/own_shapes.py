"""Shapes that the published types of Block Kit lack: views, stream chunks, charts (docs.slack.dev)."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_TEXT: Json = {"$ref": "#/definitions/PlainTextElement"}
_STRING: Json = {"type": "string"}
_VIEW_COMMON: Json = {
    "type": _STRING,
    "blocks": {"type": "array"},
    "private_metadata": _STRING,
    "callback_id": _STRING,
    "external_id": _STRING,
}
_POINTS: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["label", "value"],
        "additionalProperties": False,
        "properties": {"label": _STRING, "value": {"type": "number"}},
    },
}
_PIE: Json = {
    "type": "object",
    "required": ["type", "segments"],
    "additionalProperties": False,
    "properties": {"type": {"const": "pie"}, "segments": _POINTS},
}
_SERIES: Json = {
    "type": "object",
    "required": ["name", "data"],
    "additionalProperties": False,
    "properties": {"name": _STRING, "data": _POINTS},
}
_AXES: Json = {
    "type": "object",
    "required": ["categories"],
    "additionalProperties": False,
    "properties": {
        "categories": {"type": "array", "items": _STRING},
        "x_label": _STRING,
        "y_label": _STRING,
    },
}


def _xy_chart(kind: str) -> Json:
    return {
        "type": "object",
        "required": ["type", "series", "axis_config"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": kind},
            "series": {"type": "array", "items": _SERIES},
            "axis_config": _AXES,
        },
    }


OWN_DEFINITIONS: Json = {
    "modal": {
        "type": "object",
        "required": ["type", "title", "blocks"],
        "additionalProperties": False,
        "properties": {
            **_VIEW_COMMON,
            "title": _TEXT,
            "submit": _TEXT,
            "close": _TEXT,
            "clear_on_close": {"type": "boolean"},
            "notify_on_close": {"type": "boolean"},
            "submit_disabled": {"type": "boolean"},
        },
    },
    "home": {
        "type": "object",
        "required": ["type", "blocks"],
        "additionalProperties": False,
        "properties": _VIEW_COMMON,
    },
    "markdown_text": {
        "type": "object",
        "required": ["type", "text"],
        "additionalProperties": False,
        "properties": {"type": _STRING, "text": _STRING},
    },
    "task_update": {
        "type": "object",
        "required": ["type", "id", "title", "status"],
        "additionalProperties": False,
        "properties": {
            "type": _STRING,
            "id": _STRING,
            "title": _STRING,
            "status": {"enum": ["pending", "in_progress", "complete", "error"]},
            "details": _STRING,
            "output": _STRING,
            "sources": {"type": "array", "items": {"$ref": "#/definitions/URLSourceElement"}},
        },
    },
    "plan_update": {
        "type": "object",
        "required": ["type", "title"],
        "additionalProperties": False,
        "properties": {"type": _STRING, "title": _STRING},
    },
    "blocks": {
        "type": "object",
        "required": ["type", "blocks"],
        "additionalProperties": False,
        "properties": {"type": _STRING, "blocks": {"type": "array"}},
    },
    "DataVisualizationBlock": {
        "type": "object",
        "required": ["type", "title", "chart"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "data_visualization"},
            "block_id": _STRING,
            "title": _STRING,
            "chart": {"anyOf": [_PIE, *(_xy_chart(kind) for kind in ("bar", "area", "line"))]},
        },
    },
}

"""What a message may hold: text, blocks, attachments, metadata; the checks that posting methods share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from localslack.blocks import check_blocks, check_view
from localslack.errors import ApiError
from localslack.filedesk import check_pictures
from localslack.records import JSON, is_object
from localslack.shapes import with_ids
from localslack.webapi.registry import Call
from localslack.world import World

MAX_POST_TEXT = 40_000
MAX_UPDATE_TEXT = 4_000
MAX_MARKDOWN = 12_000
MAX_BLOCK_TEXT = 13_000
MAX_ATTACHMENTS = 100
MAX_METADATA_BYTES = 16_000
POST_ARGS = (
    "channel! text blocks:list attachments:list markdown_text parse link_names:bool as_user:bool"
    " icon_emoji icon_url username metadata:obj"
)


def content_of(call: Call, *, max_text: int | None = None) -> JSON:
    """Message fields from a call: text, blocks, attachments, metadata.

    Raises ApiError for each of Slack's rules.
    """
    text, markdown = call.get("text"), call.get("markdown_text")
    blocks, attachments = call.get("blocks"), call.get("attachments")
    if markdown is not None:
        if text is not None or blocks is not None:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > MAX_MARKDOWN:
            raise ApiError("msg_too_long")
        text, blocks = markdown, [{"type": "markdown", "text": markdown}] if markdown else None
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    if attachments is not None and len(attachments) > MAX_ATTACHMENTS:
        raise ApiError("too_many_attachments")
    if max_text is not None and len(text or "") > max_text:
        raise ApiError("msg_too_long")
    fields: JSON = {"text": (text or "")[:MAX_POST_TEXT], "attachments": attachments or None}
    if blocks is not None:
        fields["blocks"] = checked_blocks(call.world, blocks) or None
    if (metadata := call.get("metadata")) is not None:
        fields["metadata"] = checked_metadata(metadata)
    return fields


def checked_blocks(world: World, blocks: list[Any]) -> list[JSON]:
    """Blocks with their ids. Raises ApiError ``invalid_blocks`` or ``msg_blocks_too_long``."""
    problem = check_blocks(blocks, "message")
    if problem is not None:
        raise ApiError("invalid_blocks", f"[ERROR] {problem}")
    if sum(len(text) for text in _texts(blocks)) > MAX_BLOCK_TEXT:
        raise ApiError("msg_blocks_too_long")
    check_pictures(world, blocks)
    return with_ids(blocks)


def checked_metadata(metadata: JSON) -> JSON:
    """Raises ApiError ``invalid_metadata_format``, ``invalid_metadata_schema`` or ``metadata_too_large``."""
    if set(metadata) - {"event_type", "event_payload", "entities"}:
        raise ApiError("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_schema")
    if len(str(metadata).encode()) > MAX_METADATA_BYTES:
        raise ApiError("metadata_too_large")
    return metadata


def checked_view(world: World, view: JSON, wanted: str) -> JSON:
    """A view payload. Raises ApiError ``invalid_arguments`` or ``view_too_large``."""
    problem = check_view(view)
    if problem is not None:
        code = "view_too_large" if "bytes" in problem else "invalid_arguments"
        raise ApiError(code, f"[ERROR] {problem}")
    if view["type"] != wanted:
        raise ApiError("invalid_arguments", f"[ERROR] must be a {wanted} view [json-pointer:/view/type]")
    check_pictures(world, view["blocks"])
    return view


def _texts(node: Any) -> Iterator[str]:
    """Every text that a block shows."""
    if is_object(node):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _texts(item)

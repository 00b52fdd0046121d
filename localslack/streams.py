"""Streamed messages: started, appended to, stopped by the app, a person, or after five minutes the server.

Limits as seen in real workspaces: each text at most 12,000 characters; from about 10,600 to 11,300 UTF-8
bytes in all, of which the smallest counts here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localslack.blocks import check_chunks
from localslack.errors import ApiError
from localslack.records import JSON, Channel, Message, Stream
from localslack.shapes import with_ids
from localslack.world import World

MAX_TEXT = 12_000
MAX_BYTES = 10_600
MAX_BLOCKS = 50


def start(
    world: World, channel: Channel, thread_ts: str, markdown: str, chunks: list[Any], *, plan: bool = False
) -> Message:
    """A new message in the streaming state; ``plan`` shows its tasks as one plan."""
    empty = Stream(world.clock.now(), size=0, markdown="", lifetime=world.stream_s, plan=plan)
    stream = _grown(empty, markdown, chunks)
    text, blocks = _content(stream, [])
    return world.post(channel, world.bot, text, blocks=blocks, thread_ts=thread_ts, stream=stream)


def append(world: World, message: Message, markdown: str, chunks: list[Any]) -> Message:
    """More of a message that is being streamed."""
    stream = _grown(_live(world, message), markdown, chunks)
    return _keep(world, message, stream, [])


def stop(
    world: World,
    message: Message,
    markdown: str,
    chunks: list[Any],
    blocks: list[JSON],
    metadata: JSON | None,
) -> Message:
    """The last of a streamed message; ``blocks`` stand at its bottom."""
    stream = replace(_grown(_live(world, message), markdown, chunks), stopped=True)
    return _keep(world, message, stream, blocks, metadata)


def _keep(
    world: World, message: Message, stream: Stream, bottom: list[JSON], metadata: JSON | None = None
) -> Message:
    text, blocks = _content(stream, bottom)
    changed = replace(message, text=text, blocks=blocks, stream=stream, metadata=metadata or message.metadata)
    world.store.save_message(changed)
    world.show(changed, "message_changed")
    return changed


def _live(world: World, message: Message) -> Stream:
    if not message.from_app:
        raise ApiError("message_not_owned_by_app")
    if message.stream is not None and message.stream.stopped_by:
        raise ApiError("stopped_by_user")
    if message.stream is None or not message.is_streaming(world.clock.now()):
        raise ApiError("message_not_in_streaming_state")
    return message.stream


def _content(stream: Stream, bottom: list[JSON]) -> tuple[str, list[JSON] | None]:
    body: list[JSON] = [{"type": "markdown", "text": stream.markdown}] if stream.markdown else []
    shown = _as_plan(stream) if stream.plan else stream.blocks
    blocks = with_ids([*body, *shown, *bottom])
    return stream.markdown, blocks or None


def _as_plan(stream: Stream) -> list[JSON]:
    """The tasks gathered into one plan block, where the first of them stood."""
    tasks = [block for block in stream.blocks if block["type"] == "task_card"]
    if not tasks and not stream.title:
        return stream.blocks
    plan: JSON = {"type": "plan", "block_id": "plan", "title": stream.title or "Plan", "tasks": tasks}
    return [plan, *(block for block in stream.blocks if block["type"] != "task_card")]


def _grown(stream: Stream, markdown: str, chunks: list[Any]) -> Stream:
    """The stream with more content.

    Raises ApiError ``msg_too_long``, ``invalid_chunks``, ``msg_blocks_too_many``.
    """
    problem = check_chunks(chunks)
    if problem is not None:
        raise ApiError("invalid_chunks", f"[ERROR] {problem}")
    for chunk in [{"type": "markdown_text", "text": markdown}, *chunks] if markdown else chunks:
        stream = _with_chunk(stream, chunk)
    if stream.size > MAX_BYTES:
        raise ApiError("msg_too_long")
    if len(stream.blocks) > MAX_BLOCKS:
        raise ApiError("msg_blocks_too_many")
    return stream


def _with_chunk(stream: Stream, chunk: JSON) -> Stream:
    kind = chunk["type"]
    if kind == "markdown_text":
        text: str = chunk["text"]
        return replace(stream, markdown=stream.markdown + text, size=stream.size + len(text.encode()))
    if kind == "task_update":
        return replace(stream, blocks=_with_task(stream.blocks, chunk))
    if kind == "plan_update":
        return replace(stream, title=chunk["title"], plan=True)
    if kind == "blocks":
        return replace(stream, blocks=[*stream.blocks, *chunk["blocks"]])
    return stream


def _with_task(blocks: list[JSON], chunk: JSON) -> list[JSON]:
    """A task's newest state in the place where the task stands."""
    card: JSON = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"]}
    card["status"] = chunk["status"]
    for key in ("details", "output"):
        if chunk.get(key):
            text: JSON = {"type": "text", "text": chunk[key]}
            card[key] = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [text]}]}
    if chunk.get("sources"):
        card["sources"] = chunk["sources"]
    places = [number for number, block in enumerate(blocks) if block.get("task_id") == chunk["id"]]
    if not places:
        return [*blocks, card]
    return [*blocks[: places[0]], card, *blocks[places[0] + 1 :]]

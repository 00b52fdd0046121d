"""Verbs about files: uploads by apps, drops by people, sharing, deleting, who may read them."""

from __future__ import annotations

import asyncio
import mimetypes
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from localslack import events
from localslack.errors import ApiError
from localslack.ids import new_id
from localslack.records import JSON, Channel, File, Message, Share, User
from localslack.world import World

IMAGE_PROCESSING_S = 0.6
OTHER_PROCESSING_S = 0.1
SHARING_S = 0.1

_KNOWN = {
    ".jsonl": ("application/octet-stream", "binary"),
    ".csv": ("text/csv", "csv"),
    ".md": ("text/plain", "text"),
}


def kind_of(name: str) -> tuple[str, str]:
    """(mimetype, filetype) by name, as Slack guesses them; ``.jsonl`` is nothing that Slack knows."""
    suffix = Path(name).suffix.lower()
    if suffix in _KNOWN:
        return _KNOWN[suffix]
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    filetype = suffix.lstrip(".") or "binary"
    return mimetype, {"txt": "text", "jpeg": "jpg", "htm": "html"}.get(filetype, filetype)


def path_of(world: World, file: File) -> Path:
    return world.files_dir / file.id


def reserve(world: World, user: User, name: str, size: int, *, processing: bool, **more: Any) -> File:
    """A file record without bytes yet.

    ``processing``: its kind shows only a moment later, as after API uploads.
    """
    mimetype, filetype = kind_of(name)
    now = world.clock.now()
    wait = IMAGE_PROCESSING_S if mimetype.startswith("image/") else OTHER_PROCESSING_S
    file = File(
        id=new_id("F"),
        user=user.id,
        name=name,
        title=name,
        size=size,
        mimetype=mimetype,
        filetype=filetype,
        created=int(now),
        ready_at=now + wait if processing else now,
        **more,
    )
    world.store.save_file(file)
    return file


def receive(world: World, file: File, content: bytes) -> None:
    """Keep the bytes of a reserved file."""
    path_of(world, file).write_bytes(content)


def drop(
    world: World, channel: Channel, user: User, files: list[File], text: str, thread_ts: str | None
) -> Message:
    """A person's files in a channel: one ``file_share`` message, and one ``file_shared`` event a file."""
    return _share(world, channel, user, files, text, thread_ts, None)


def complete(world: World, files: list[File], channel: Channel | None, more: JSON) -> None:
    """The end of an app's upload. The share itself happens a moment later, as Slack processes it."""
    for file in files:
        now = world.clock.now()
        wait = IMAGE_PROCESSING_S if file.is_image else OTHER_PROCESSING_S
        world.store.save_file(replace(file, complete=True, ready_at=now + wait))
    if channel is not None:
        world.delivery.spawn(_share_soon(world, channel, [file.id for file in files], more))


async def _share_soon(world: World, channel: Channel, file_ids: list[str], more: JSON) -> None:
    await asyncio.sleep(SHARING_S)
    files = [file for file in map(world.store.file, file_ids) if file is not None and not file.deleted]
    if files:
        text, thread_ts = more.get("initial_comment") or "", more.get("thread_ts")
        blocks = None if text else more.get("blocks")
        _share(world, channel, world.bot, files, text, thread_ts, blocks)


def _share(
    world: World,
    channel: Channel,
    user: User,
    files: list[File],
    text: str,
    thread_ts: str | None,
    blocks: list[JSON] | None,
) -> Message:
    ts = world.clock.next_ts()
    for file in files:
        share = Share(channel.id, ts, thread_ts)
        current = world.store.file(file.id) or file
        world.store.save_file(replace(current, shares=[*current.shares, share]))
    message = world.post(
        channel,
        user,
        text,
        at=ts,
        subtype=None if user.is_bot else "file_share",
        files=[file.id for file in files],
        thread_ts=thread_ts,
        blocks=blocks,
    )
    if world.bot_in(channel.id):
        for file in files:
            events.send(world, _file_event(world, "file_shared", file) | {"channel_id": channel.id})
    return message


def delete(world: World, file: File) -> None:
    """Delete a file; messages that showed it stay."""
    world.store.save_file(replace(file, deleted=True))
    path_of(world, file).unlink(missing_ok=True)
    for share in file.shares:
        if (message := world.store.message(share.channel, share.ts)) is not None:
            world.show(message, "message_changed")
    if any(world.bot_in(share.channel) for share in file.shares):
        channel_ids = [share.channel for share in file.shares]
        events.send(world, _file_event(world, "file_deleted", file) | {"channel_ids": channel_ids})


def forget(world: World, file: File) -> None:
    """Lose the bytes without a word: the file object stays, its download answers 404."""
    path_of(world, file).unlink(missing_ok=True)


def readable(world: World, file_id: str) -> File:
    """A file that the bot may see. Raises ApiError ``file_not_found`` or ``file_deleted``."""
    file = world.store.file(file_id)
    if file is None:
        raise ApiError("file_not_found")
    if file.deleted:
        raise ApiError("file_deleted")
    if file.mode == "hidden_by_limit":
        raise ApiError("file_not_found")
    mine = file.user == world.me.bot_user_id
    if not mine and not file.granted and not any(world.bot_in(share.channel) for share in file.shares):
        raise ApiError("file_not_found")
    return file


def check_pictures(world: World, blocks: list[JSON]) -> None:
    """Image blocks that name a Slack file need one that is an image and is processed.

    Raises ``invalid_blocks``.
    """
    for number, block in enumerate(blocks):
        for place, source in _slack_files(block):
            where = f"[json-pointer:/blocks/{number}{place}/slack_file]"
            try:
                file = _named(world, source)
            except ApiError:
                raise ApiError("invalid_blocks", f"[ERROR] invalid slack file {where}") from None
            if not file.complete or not file.is_image or world.clock.now() < file.ready_at:
                raise ApiError("invalid_blocks", f"[ERROR] invalid slack file {where}")


def _named(world: World, source: JSON) -> File:
    if source.get("id"):
        return readable(world, str(source["id"]))
    parts = str(source.get("url") or "").split("/")
    found = next((f for f in world.store.files() if any(p.endswith(f.id) or p == f.id for p in parts)), None)
    if found is None:
        raise ApiError("file_not_found")
    return readable(world, found.id)


def _slack_files(block: JSON) -> list[tuple[str, JSON]]:
    found: list[tuple[str, JSON]] = []
    if isinstance(block.get("slack_file"), dict):
        found.append(("", block["slack_file"]))
    accessory: JSON = block.get("accessory") or {}
    if isinstance(accessory.get("slack_file"), dict):
        found.append(("/accessory", accessory["slack_file"]))
    elements: list[Any] = block.get("elements") or []
    for number, element in enumerate(elements):
        source: Any = cast("JSON", element).get("slack_file") if isinstance(element, dict) else None
        if isinstance(source, dict):
            found.append((f"/elements/{number}", cast("JSON", source)))
    return found


def _file_event(world: World, kind: str, file: File) -> JSON:
    body: JSON = {"type": kind, "file_id": file.id, "event_ts": world.clock.next_ts()}
    if kind == "file_shared":
        body |= {"user_id": file.user, "file": {"id": file.id}}
    return body

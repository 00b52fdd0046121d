"""files.*: the external upload flow, reading, deleting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localslack import filedesk
from localslack.errors import ApiError
from localslack.records import JSON, Channel, File, is_object
from localslack.webapi.content import checked_blocks
from localslack.webapi.registry import Call, method

MAX_SNIPPET = 1_000_000


@method(
    "files.getUploadURLExternal",
    "filename! length!:int snippet_type alt_txt",
    tier="t4",
    scopes="files:write",
)
def get_upload_url(call: Call) -> JSON:
    name, length = call.get("filename"), call.get("length")
    if length < 1:
        raise ApiError("invalid_arguments", "[ERROR] must be greater than 0 [json-pointer:/length]")
    if len(call.get("alt_txt") or "") > 1000:
        raise ApiError("alt_txt_too_large")
    if call.get("snippet_type") and length > MAX_SNIPPET:
        raise ApiError("snippet_too_large")
    world = call.world
    file = filedesk.reserve(
        world,
        world.bot,
        name.replace("/", "_"),
        length,
        processing=True,
        complete=False,
        alt_txt=call.get("alt_txt"),
    )
    return {"upload_url": f"{world.base_url}/upload/{file.id}", "file_id": file.id}


def _named_files(call: Call) -> list[File]:
    found: list[File] = []
    entries: list[Any] = call.get("files")
    if not entries:
        raise ApiError("invalid_arguments", "[ERROR] no files given [json-pointer:/files]")
    for number, entry in enumerate(entries):
        if not is_object(entry) or set(entry) - {"id", "title", "highlight_type"}:
            raise ApiError(
                "invalid_arguments", f"[ERROR] unknown or missing key [json-pointer:/files/{number}]"
            )
        file = call.world.store.file(str(entry.get("id")))
        if file is None or file.complete or not filedesk.path_of(call.world, file).exists():
            raise ApiError("file_not_found")
        found.append(replace(file, title=entry.get("title") or file.title))
    return found


@method(
    "files.completeUploadExternal",
    "files!:list channel_id channels thread_ts initial_comment blocks:list username icon_url icon_emoji",
    tier="t4",
    scopes="files:write",
)
def complete_upload(call: Call) -> JSON:
    """Answers before the file is processed and shown: ``shares`` is empty and the mimetype unknown then."""
    files = _named_files(call)
    channel, more = _place(call)
    filedesk.complete(call.world, files, channel, more)
    return {"files": [call.world.file_json(call.world.store.file(file.id) or file) for file in files]}


def _place(call: Call) -> tuple[Channel | None, JSON]:
    wanted = call.get("channel_id") or call.get("channels")
    if not wanted:
        return None, {}
    if "," in wanted:
        raise ApiError("invalid_channel", "[ERROR] one channel at a time here")
    channel = call.world.store.channel(wanted)
    if channel is None or (channel.is_private and not call.world.bot_in(channel.id)):
        raise ApiError("channel_not_found")
    if not call.world.bot_in(channel.id):
        raise ApiError("not_in_channel")
    if channel.is_archived:
        raise ApiError("posting_to_channel_denied")
    thread_ts = call.world.thread_root(channel.id, call.get("thread_ts"))
    blocks = checked_blocks(call.world, call.get("blocks")) if call.get("blocks") else None
    return channel, {"thread_ts": thread_ts, "initial_comment": call.get("initial_comment"), "blocks": blocks}


@method("files.info", "file! count:int cursor limit:int page:int", tier="t4", scopes="files:read")
def file_info(call: Call) -> JSON:
    file = filedesk.readable(call.world, call.get("file"))
    if not file.complete:
        raise ApiError("file_not_found")
    return {"file": call.world.file_json(file), "comments": []}


@method(
    "files.list",
    "channel count:int page:int show_files_hidden_by_limit:bool team_id ts_from ts_to types user",
    scopes="files:read",
)
def file_list(call: Call) -> JSON:
    """Newest first; ``channel`` and ``user`` narrow it. One page of ``count`` (default 100)."""
    found = [file for file in call.world.store.files() if _listed(call, file)][::-1]
    count, number = call.get("count") or 100, call.get("page") or 1
    shown = found[(number - 1) * count : number * count]
    paging = {"count": count, "total": len(found), "page": number, "pages": -(-len(found) // count)}
    return {"files": [call.world.file_json(file) for file in shown], "paging": paging}


def _listed(call: Call, file: File) -> bool:
    if file.deleted or not file.complete:
        return False
    if call.get("user") and file.user != call.get("user"):
        return False
    places = [share.channel for share in file.shares]
    if call.get("channel"):
        return call.get("channel") in places and call.world.bot_in(call.get("channel"))
    return file.user == call.world.me.bot_user_id or any(call.world.bot_in(place) for place in places)


@method("files.delete", "file!", scopes="files:write")
def file_delete(call: Call) -> JSON:
    file = filedesk.readable(call.world, call.get("file"))
    if file.user != call.world.me.bot_user_id:
        raise ApiError("cant_delete_file")
    filedesk.delete(call.world, file)
    return {}

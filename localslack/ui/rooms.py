"""Reading and writing: the state of everything, channels, messages, threads, files, reactions."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.responses import FileResponse, Response, StreamingResponse

from localslack import channels, filedesk
from localslack.errors import UiError
from localslack.records import JSON, File, Message
from localslack.typed import markup
from localslack.ui.request import Person

NOTICE = "localslack: for trying and testing on this machine only. It is not Slack."
_MAX_PAGE = 200


async def state(person: Person) -> JSON:
    world, manifest = person.world, person.world.manifest
    visible = [c for c in world.store.channels() if not c.is_private or person.is_member(c)]
    return {
        "notice": NOTICE,
        "me": {"id": person.user.id, "name": person.user.name, "real_name": person.user.real_name},
        "team": {"id": world.me.team_id, "name": world.me.team_name},
        "users": [
            {"id": u.id, "name": u.name, "real_name": u.real_name, "is_bot": u.is_bot} for u in world.users
        ],
        "channels": [channels.channel_ui(world, channel, person.user) for channel in visible],
        "app": {
            "bot_user_id": world.me.bot_user_id,
            "name": manifest.name,
            "commands": [
                {"command": c.command, "description": c.description, "usage_hint": c.usage_hint}
                for c in manifest.commands
            ],
            "shortcuts": [
                {"name": s.name, "type": s.type, "callback_id": s.callback_id} for s in manifest.shortcuts
            ],
            "home_tab": manifest.home_tab,
            "connected": world.delivery.connected,
        },
        "event": world.feed.number,
    }


async def messages(person: Person) -> JSON:
    channel, query = person.path_channel(), person.request.query_params
    limit = min(_MAX_PAGE, max(1, _whole(query.get("limit") or "50")))
    before = query.get("before") or "9999999999.999999"
    found = person.world.store.timeline(channel.id, before, "0", limit + 1, person.user.id)
    page = [m for m in found[:limit] if not (m.is_reply and not m.broadcast)][::-1]
    if page and not query.get("before"):
        person.world.store.mark_read(person.user.id, channel.id, page[-1].ts)
    return {"messages": [person.world.message_ui(m) for m in page], "has_more": len(found) > limit}


def _whole(text: str) -> int:
    if not text.isdigit():
        raise UiError("bad_value", "limit must be a whole number.")
    return int(text)


async def thread(person: Person) -> JSON:
    channel = person.path_channel()
    root = person.message(channel, person.request.path_params["ts"])
    found = person.world.store.thread(channel.id, root.ts, person.user.id)
    return {"messages": [person.world.message_ui(m) for m in found]}


async def post(person: Person) -> JSON:
    channel = person.path_channel(joined=True)
    text = str(person.need("text"))
    if text.startswith("/"):
        raise UiError("is_command", "A text that begins with / is a command: use /ui/commands.")
    thread_ts = person.world.thread_root(channel.id, person.body.get("thread_ts"))
    message = person.world.post(channel, person.user, markup(person.world, text), thread_ts=thread_ts)
    return {"message": person.world.message_ui(message)}


def _own(person: Person) -> Message:
    channel = person.path_channel(joined=True)
    message = person.message(channel, person.request.path_params["ts"])
    if message.user != person.user.id:
        raise UiError("not_yours", "This is not your message.", 403)
    return message


async def edit(person: Person) -> JSON:
    changed = person.world.edit(_own(person), text=markup(person.world, str(person.need("text"))))
    return {"message": person.world.message_ui(changed)}


async def delete(person: Person) -> JSON:
    person.world.delete(_own(person))
    return {}


async def create_channel(person: Person) -> JSON:
    private = bool(person.body.get("is_private"))
    channel = channels.create_channel(person.world, str(person.need("name")), person.user, is_private=private)
    return {"channel": channels.channel_ui(person.world, channel, person.user)}


def _member(person: Person, name: str) -> Any:
    wanted = name.lstrip("@")
    found = [u for u in person.world.users if wanted in (u.id, u.name)]
    if wanted.lower() == person.world.manifest.bot_name.lower():
        found = [person.world.bot]
    if not found:
        raise UiError("user_not_found", f"There is nobody called {name!r} here.", 404)
    return found[0]


async def add_member(person: Person) -> JSON:
    """Join (oneself, public channels) or invite (as a member)."""
    user = _member(person, str(person.need("user")))
    channel = person.path_channel(joined=user.id != person.user.id)
    channels.add_member(person.world, channel, user, inviter=person.user)
    return {"channel": channels.channel_ui(person.world, channel, person.user)}


async def remove_member(person: Person) -> JSON:
    user = _member(person, person.request.path_params["user"])
    channels.remove_member(person.world, person.path_channel(), user)
    return {}


async def open_dm(person: Person) -> JSON:
    other = _member(person, str(person.need("user")))
    channel, _ = channels.open_dm(person.world, person.user, other)
    return {"channel": channels.channel_ui(person.world, channel, person.user)}


async def invite(person: Person, channel_id: str, text: str) -> JSON:
    """The built-in ``/invite @somebody``."""
    channel = person.channel(channel_id, joined=True)
    if not text.strip():
        raise UiError("missing_field", "Whom? Type /invite @name.")
    channels.add_member(person.world, channel, _member(person, text.split()[0]), inviter=person.user)
    return {}


async def drop(person: Person) -> JSON:
    """Files from a person.

    Form fields ``claim_size`` and ``claim_host`` make the file object lie, for tests.
    """
    channel = person.path_channel(joined=True)
    async with person.request.form(max_files=10) as form:
        files = [
            await _kept(person, upload, form)
            for upload in form.getlist("file")
            if isinstance(upload, UploadFile)
        ]
        if not files:
            raise UiError("missing_field", "There is no file in the form (field 'file').")
        thread_ts = person.world.thread_root(channel.id, str(form.get("thread_ts") or "") or None)
        text = markup(person.world, str(form.get("text") or ""))
    message = filedesk.drop(person.world, channel, person.user, files, text, thread_ts)
    return {
        "message": person.world.message_ui(message),
        "files": [person.world.file_ui(file) for file in files],
    }


async def _kept(person: Person, upload: UploadFile, form: FormData) -> File:
    content = await upload.read()
    name = (upload.filename or "file").rsplit("/", 1)[-1]
    claimed = str(form.get("claim_size") or "")
    size = int(claimed) if claimed.isdigit() else len(content)
    host = str(form.get("claim_host") or "") or None
    file = filedesk.reserve(person.world, person.user, name, size, processing=False, host=host)
    filedesk.receive(person.world, file, content)
    return file


async def file_content(person: Person) -> Response:
    file = person.world.store.file(person.request.path_params["file"])
    path = filedesk.path_of(person.world, file) if file else None
    if file is None or path is None or file.deleted or not path.exists():
        raise UiError("file_not_found", "There is no such file.", 404)
    kind = (
        file.mimetype if file.is_image else "text/plain; charset=utf-8" if _is_text(file) else file.mimetype
    )
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
    return FileResponse(
        path, media_type=kind, filename=file.name, content_disposition_type="inline", headers=headers
    )


def _is_text(file: File) -> bool:
    return file.mimetype.startswith("text/") or file.name.endswith((".jsonl", ".json"))


async def react(person: Person) -> JSON:
    channel = person.channel(str(person.need("channel")), joined=True)
    message = person.message(channel, str(person.need("ts")))
    name = str(person.need("name")).strip(":")
    if person.request.method == "DELETE":
        person.world.unreact(message, name, person.user)
    else:
        person.world.react(message, name, person.user)
    return {}


async def events(person: Person) -> Response:
    resume = person.request.headers.get("last-event-id") or person.request.query_params.get("after")
    after = int(resume) if resume and resume.isdigit() else None
    stream = person.world.feed.follow(person.user.id, after)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

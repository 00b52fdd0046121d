"""Reading and writing: the state of everything, messages, threads, reactions."""

from __future__ import annotations

from starlette.responses import Response, StreamingResponse

from localslack import channels
from localslack.errors import UiError
from localslack.records import JSON, Channel, Message, User
from localslack.sessions import session_json
from localslack.typed import markup
from localslack.ui.request import Person
from localslack.world import World

NOTICE = "localslack: for trying and testing on this machine only. It is not Slack."
_MAX_PAGE = 200


async def state(person: Person) -> JSON:
    world, manifest = person.world, person.world.manifest
    visible = [c for c in world.store.channels() if not c.is_private or person.is_member(c)]
    return {
        "notice": NOTICE,
        "me": {"id": person.user.id, "name": person.user.name, "real_name": person.user.real_name},
        "team": {"id": world.me.team_id, "name": world.me.team_name},
        "users": [person_ui(world, user) for user in world.users],
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


def person_ui(world: World, user: User) -> JSON:
    body: JSON = {"id": user.id, "name": user.name, "real_name": user.real_name, "is_bot": user.is_bot}
    return body | {"is_guest": user.is_restricted, "team": user.team or world.me.team_id}


async def messages(person: Person) -> JSON:
    channel, query = person.path_channel(), person.request.query_params
    limit = min(_MAX_PAGE, max(1, _whole(query.get("limit") or "50")))
    before = query.get("before") or "9999999999.999999"
    found = person.world.store.timeline(channel.id, before, "0", limit + 1, person.user.id)
    page = [m for m in found[:limit] if not (m.is_reply and not m.broadcast)][::-1]
    if page and not query.get("before"):
        person.world.store.mark_read(person.user.id, channel.id, page[-1].ts)
    shown = [person.world.message_ui(m) for m in page]
    prompts = person.world.prompts.get(channel.id, [])
    return {"messages": shown, "has_more": len(found) > limit, "prompts": prompts}


def _whole(text: str) -> int:
    if not text.isdigit():
        raise UiError("bad_value", "limit must be a whole number.")
    return int(text)


async def thread(person: Person) -> JSON:
    channel = person.path_channel()
    root = person.message(channel, person.request.path_params["ts"])
    found = person.world.store.thread(channel.id, root.ts, person.user.id)
    shown = [person.world.message_ui(m) for m in found]
    return {"messages": shown, "session": session_json(person.world, channel.id, root.ts)}


async def post(person: Person) -> JSON:
    channel = open_for_posting(person.path_channel(joined=True))
    text = str(person.need("text"))
    if text.startswith("/"):
        raise UiError("is_command", "A text that begins with / is a command: use /ui/commands.")
    thread_ts = person.world.thread_root(channel.id, person.body.get("thread_ts"))
    message = person.world.post(channel, person.user, markup(person.world, text), thread_ts=thread_ts)
    return {"message": person.world.message_ui(message)}


def open_for_posting(channel: Channel) -> Channel:
    if channel.is_archived:
        raise UiError("is_archived", "This channel is archived.", 403)
    return channel


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

"""Agent sessions: what an app says it is doing in a thread, and the Stop button that people get by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from localslack import events
from localslack.errors import ApiError
from localslack.records import JSON, Channel, User
from localslack.world import World

Status = Literal["active", "processing", "suspended", "closed"]
STATUSES = ("active", "processing", "suspended", "closed")
STOPPED = "agent_session_stopped"


@dataclass(frozen=True)
class Session:
    """The session of one thread."""

    status: Status
    title: str = ""


def session_json(world: World, channel: str, thread_ts: str) -> JSON | None:
    """The session as the page gets it; ``stoppable`` while it is at work and the app listens for a stop."""
    session = world.sessions.get((channel, thread_ts))
    if session is None:
        return None
    stoppable = session.status == "processing" and STOPPED in world.manifest.bot_events
    return {"status": session.status, "title": session.title, "stoppable": stoppable}


def set_status(world: World, channel: Channel, thread_ts: str, status: str, title: str | None) -> Session:
    """Begin or change a session; ``title`` counts only at its start. Raises ApiError ``invalid_status``."""
    if status not in STATUSES:
        raise ApiError("invalid_status")
    known = world.sessions.get((channel.id, thread_ts))
    session = Session(status, known.title if known else title or "")
    return _keep(world, channel, thread_ts, session)


def rename(world: World, channel: Channel, thread_ts: str, title: str) -> Session:
    """Raises ApiError ``session_not_found``."""
    known = world.sessions.get((channel.id, thread_ts))
    if known is None:
        raise ApiError("session_not_found")
    return _keep(world, channel, thread_ts, replace(known, title=title))


def stop(world: World, channel: Channel, thread_ts: str, user: User) -> list[str]:
    """A person presses Stop: live streams of the thread take no more, and the app is told.

    The timestamps of those streams. Raises ApiError ``not_stoppable``.
    """
    session = session_json(world, channel.id, thread_ts)
    if session is None or not session["stoppable"]:
        raise ApiError("not_stoppable", "nothing is at work here that could be stopped")
    stopped: list[str] = []
    for message in world.store.thread(channel.id, thread_ts):
        if message.stream is not None and message.is_streaming(world.clock.now()):
            stream = replace(message.stream, stopped=True, stopped_by=user.id)
            changed = replace(message, stream=stream)
            world.store.save_message(changed)
            world.show(changed, "message_changed")
            stopped.append(message.ts)
    event: JSON = {
        "type": STOPPED,
        "channel": channel.id,
        "thread_ts": thread_ts,
        "user": user.id,
        "streaming_message_ts": stopped,
        "event_ts": world.clock.next_ts(),
    }
    events.send(world, event)
    return stopped


def _keep(world: World, channel: Channel, thread_ts: str, session: Session) -> Session:
    world.sessions[channel.id, thread_ts] = session
    shown = session_json(world, channel.id, thread_ts)
    body: JSON = {"type": "session", "channel": channel.id, "thread_ts": thread_ts, "session": shown}
    world.feed.publish(body, world.audience(channel))
    return session

"""A person's request: who acts, what they send, and how a refusal is said."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localslack.errors import ApiError, NotDelivered, UiError
from localslack.records import JSON, Channel, Message, User, is_object
from localslack.world import World

DEFAULT_PERSON = "jin"

_WORDS = {
    "channel_not_found": "There is no such channel, or you cannot see it.",
    "message_not_found": "There is no such message.",
    "not_in_channel": "Join the channel first.",
    "already_reacted": "You already reacted with this.",
    "no_reaction": "You did not react with this.",
    "name_taken": "A channel with this name is there already.",
    "operation_timeout": "The app did not answer in time (3 seconds).",
    "dispatch_failed": "The app is not connected.",
    "thread_not_found": "There is no such thread.",
    "is_archived": "This channel is archived.",
    "already_archived": "This channel is archived already.",
    "not_archived": "This channel is not archived.",
    "cant_archive_general": "#general cannot be archived.",
}

Action = Callable[["Person"], Awaitable[JSON | Response]]


class Person:
    """One request of one person."""

    def __init__(self, world: World, request: Request, user: User, body: JSON) -> None:
        self.world = world
        self.request = request
        self.user = user
        self.body = body

    def need(self, name: str) -> Any:
        """A key of the body. Raises UiError ``missing_field``."""
        if self.body.get(name) in (None, ""):
            raise UiError("missing_field", f"The field {name!r} is missing.")
        return self.body[name]

    def channel(self, channel_id: str, *, joined: bool = False) -> Channel:
        """A channel by id or name that the person may see.

        Raises UiError ``channel_not_found``, ``not_in_channel``.
        """
        named = (
            c
            for c in self.world.store.channels()
            if channel_id in (c.id, c.name, f"#{c.name}") and channel_id
        )
        channel = next(named, None)
        if channel is None or (channel.is_private and not self.is_member(channel)):
            raise UiError("channel_not_found", _WORDS["channel_not_found"], 404)
        if joined and not self.is_member(channel):
            raise UiError("not_in_channel", _WORDS["not_in_channel"], 403)
        return channel

    def path_channel(self, *, joined: bool = False) -> Channel:
        return self.channel(self.request.path_params["channel"], joined=joined)

    def is_member(self, channel: Channel) -> bool:
        return self.user.id in self.world.store.members(channel.id)

    def message(self, channel: Channel, ts: str) -> Message:
        """A message that the person sees. Raises UiError ``message_not_found``."""
        message = self.world.store.message(channel.id, ts)
        if message is None or message.ephemeral_to not in (None, self.user.id):
            raise UiError("message_not_found", _WORDS["message_not_found"], 404)
        return message


def endpoint(world: World, action: Action) -> Callable[[Request], Awaitable[Response]]:
    """A route for an action: finds the person, reads JSON, answers ``{"ok": …}``."""

    async def serve(request: Request) -> Response:
        try:
            answer = await action(Person(world, request, _acting(world, request), await _body(request)))
            return answer if isinstance(answer, Response) else JSONResponse({"ok": True, **answer})
        except UiError as error:
            return refusal(error.code, str(error), error.status, error.extra)
        except ApiError as error:
            words = " ".join(error.messages) or _WORDS.get(error.code, error.code.replace("_", " "))
            return refusal(error.code, words, 404 if error.code.endswith("_not_found") else 400)
        except NotDelivered as error:
            world.feed.publish({"type": "error", "message": _WORDS[error.code]})
            return refusal(error.code, _WORDS[error.code], 504 if error.code == "operation_timeout" else 503)

    return serve


def refusal(code: str, words: str, status: int, extra: JSON | None = None) -> Response:
    return JSONResponse({"ok": False, "error": code, "message": words, **(extra or {})}, status_code=status)


def _acting(world: World, request: Request) -> User:
    name = request.headers.get("x-localslack-user") or request.query_params.get("user") or DEFAULT_PERSON
    user = world.person(name)
    if user is None:
        raise UiError("user_not_found", f"There is no person {name!r} here.", 404)
    return user


async def _body(request: Request) -> JSON:
    if request.headers.get("content-type", "").startswith("multipart/"):
        return {}
    raw = await request.body()
    if not raw:
        return {}
    try:
        body: Any = json.loads(raw)
    except ValueError:
        raise UiError("invalid_json", "The body is not JSON.") from None
    if not is_object(body):
        raise UiError("invalid_json", "The body must be a JSON object.")
    return body

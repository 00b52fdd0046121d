"""``/api/{method}``: reading arguments, checks, the call, the answer, and the record of calls."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localslack.errors import ApiError, RateLimited
from localslack.records import JSON, is_object
from localslack.webapi import agents, chat, conversations, files, people, reactions, streaming, views
from localslack.webapi.limits import RateLimits
from localslack.webapi.registry import METHODS, Call, check_arguments, check_token, method
from localslack.world import World

FAMILIES = (chat, streaming, conversations, files, people, reactions, views, agents)
KEPT_CALLS = 2_000
_POSTING = ("chat.postMessage", "chat.startStream")
_SECRET = {"token"}


class WebApi:
    """The Web API of one workspace."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.limits = RateLimits(world.clock.now)
        self.calls: deque[JSON] = deque(maxlen=KEPT_CALLS)

    async def endpoint(self, request: Request) -> Response:
        name = str(request.path_params["method"])
        return await self._world.faults.around(name, lambda: self._answer(request, name))

    async def _answer(self, request: Request, name: str) -> Response:
        given: JSON = {}
        try:
            given = await _arguments(request)
            answer = {"ok": True, **self._run(name, given, _token(request, given), str(request.url.netloc))}
            status, headers = 200, {}
        except RateLimited as limit:
            answer, status, headers = limit.answer(), 429, {"Retry-After": str(limit.retry_after)}
        except ApiError as refusal:
            self._world.malformed.note(name, refusal)
            answer, status, headers = refusal.answer(), 200, {}
        shown = {key: value for key, value in given.items() if key not in _SECRET}
        record: JSON = {"method": name, "args": shown, "ok": answer["ok"], "error": answer.get("error")}
        self.calls.append(record | {"at": self._world.clock.now(), "answer": answer})
        headers["X-OAuth-Scopes"] = ",".join(sorted(self._world.manifest.scopes))
        return JSONResponse(answer, status_code=status, headers=headers)

    def _run(self, name: str, given: JSON, token: str | None, netloc: str) -> JSON:
        entry = METHODS.get(name)
        if entry is None:
            raise ApiError("unknown_method", req_method=name)
        check_token(self._world, entry, token)
        self.limits.check(name, entry.tier)
        args = check_arguments(entry, given)
        if name in _POSTING:
            self.limits.check_post(str(args["channel"]))
        if name == "apps.connections.open":
            args["netloc"] = netloc
        return entry.handler(Call(self._world, name, args))


@method("apps.connections.open", "", caller="app")
def open_connection(call: Call) -> JSON:
    """The address of one Socket Mode connection; the ticket is good for one use within 30 s."""
    if not call.world.manifest.socket_mode or call.world.delivery.request_url is not None:
        raise ApiError("forbidden_team", "[ERROR] Socket Mode is off (in the manifest, or by --http)")
    ticket = call.world.tickets.make()
    return {"url": f"ws://{call.args['netloc']}/link/?ticket={ticket}&app_id={call.world.me.app_id}"}


def _token(request: Request, given: JSON) -> str | None:
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    return given.get("token")


async def _arguments(request: Request) -> JSON:
    """Query, form or JSON arguments.

    Raises ApiError ``invalid_json``, ``json_not_object`` or ``invalid_form_data``.
    """
    given: JSON = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/json":
        try:
            body: Any = json.loads(await request.body() or b"{}")
        except ValueError:
            raise ApiError("invalid_json") from None
        if not is_object(body):
            raise ApiError("json_not_object")
        return given | body
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = await request.form()
        for key, value in form.multi_items():
            given[key] = (
                (await value.read()).decode(errors="replace") if isinstance(value, UploadFile) else value
            )
    return given


__all__ = ["FAMILIES", "WebApi"]

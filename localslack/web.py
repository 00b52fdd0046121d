"""The addresses beside the Web API and ``/ui``: uploads, downloads, response_urls, the page."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from localslack import filedesk, socketmode
from localslack.answers import answer_hook
from localslack.errors import ApiError
from localslack.guard import LoopbackOnly
from localslack.records import is_object
from localslack.ui.routes import ui_routes
from localslack.webapi.routes import WebApi
from localslack.world import World

_LOGIN_PAGE = """<!DOCTYPE html>
<html><head><title>Sign in | Slack</title></head>
<body><h1>Sign in to your workspace</h1>
<p>This file can only be read with the token of an app that may see it.</p>
</body></html>
"""


def build_app(world: World) -> Starlette:
    """Everything that the program answers."""
    api = WebApi(world)

    async def link(websocket: WebSocket) -> None:
        await socketmode.link(websocket, world)

    async def upload(request: Request) -> Response:
        return await world.faults.around("upload", lambda: _upload(world, request))

    async def download(request: Request) -> Response:
        return await world.faults.around("download", lambda: _download(world, request))

    async def hook(request: Request) -> Response:
        return await world.faults.around("response_url", lambda: _hook(world, request))

    routes = [
        Route("/api/{method}", api.endpoint, methods=["GET", "POST"]),
        WebSocketRoute("/link/", link),
        WebSocketRoute("/link", link),
        Route("/upload/{file}", upload, methods=["POST", "PUT"]),
        Route("/files-pri/{key}/download/{name:path}", download),
        Route("/files-pri/{key}/{name:path}", download),
        Route("/hooks/{hook}", hook, methods=["POST"]),
        Route("/archives/{channel}/{message}", _permalink),
        Route("/files/{user}/{file}/{name:path}", _file_permalink),
        *ui_routes(world, api),
        Mount("/page", _Page(directory=_page_folder())),
        Mount("/", _Page(directory=_page_folder(), html=True)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(LoopbackOnly)])


class _Page(StaticFiles):
    """The page, always fresh: a browser asks again each time."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _page_folder() -> Path:
    return Path(str(resources.files("localslack"))) / "page"


async def _upload(world: World, request: Request) -> Response:
    """Raw bytes or a multipart form, as Slack's upload address takes them."""
    file = world.store.file(request.path_params["file"])
    if file is None or file.complete:
        return PlainTextResponse("unknown upload", status_code=404)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            uploads = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
            content = await uploads[0].read() if uploads else b""
    else:
        content = await request.body()
    if not content:
        return PlainTextResponse("empty upload", status_code=400)
    filedesk.receive(world, file, content)
    return PlainTextResponse(f"OK - {len(content)}")


async def _download(world: World, request: Request) -> Response:
    """The bytes for the app's token; for everybody else a sign-in page with status 200, as Slack answers."""
    file_id = request.path_params["key"].rpartition("-")[2]
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token != world.me.bot_token or "files:read" not in world.manifest.scopes:
        return HTMLResponse(_LOGIN_PAGE)
    try:
        file = filedesk.readable(world, file_id)
    except ApiError:
        return HTMLResponse(_LOGIN_PAGE)
    path = filedesk.path_of(world, file)
    if not path.exists():
        return PlainTextResponse("not found", status_code=404)
    return FileResponse(path, media_type=file.mimetype, filename=file.name)


async def _permalink(request: Request) -> Response:
    """A message's link leads to its place in the page."""
    thread = request.query_params.get("thread_ts", "")
    return RedirectResponse(
        f"/#{quote(request.path_params['channel'])}" + (f"/{quote(thread)}" if thread else "")
    )


async def _file_permalink(request: Request) -> Response:
    return RedirectResponse(f"/ui/files/{quote(request.path_params['file'])}/content")


async def _hook(world: World, request: Request) -> Response:
    """A response_url. Slack answers ``ok`` as text, and errors as text with status 404 or 400."""
    try:
        payload: Any = json.loads(await request.body())
        if not is_object(payload):
            raise ApiError("invalid_payload")
        answer_hook(world, world.hooks.use(request.path_params["hook"]), payload)
    except ValueError:
        world.malformed.note("response_url", ApiError("invalid_payload"))
        return PlainTextResponse("invalid_payload", status_code=400)
    except ApiError as error:
        world.malformed.note("response_url", error)
        return PlainTextResponse(
            error.code, status_code=404 if error.code in ("expired_url", "used_url") else 400
        )
    return PlainTextResponse("ok")

"""The addresses under ``/ui``."""

from __future__ import annotations

from starlette.routing import Route

from localslack.ui import filedrops, interactions, places, rooms, sessions
from localslack.ui.control import control
from localslack.ui.request import Action, endpoint
from localslack.webapi.routes import WebApi
from localslack.world import World


def ui_routes(world: World, api: WebApi) -> list[Route]:
    table: list[tuple[str, str, Action]] = [
        ("GET", "/state", rooms.state),
        ("GET", "/channels/{channel}/messages", rooms.messages),
        ("POST", "/channels/{channel}/messages", rooms.post),
        ("PATCH", "/channels/{channel}/messages/{ts}", rooms.edit),
        ("DELETE", "/channels/{channel}/messages/{ts}", rooms.delete),
        ("GET", "/channels/{channel}/threads/{ts}", rooms.thread),
        ("POST", "/channels/{channel}/files", filedrops.drop),
        ("POST", "/channels", places.create_channel),
        ("POST", "/channels/{channel}/members", places.add_member),
        ("DELETE", "/channels/{channel}/members/{user}", places.remove_member),
        ("POST", "/channels/{channel}/archive", places.archive),
        ("POST", "/channels/{channel}/threads/{ts}/stop", sessions.stop),
        ("POST", "/dm", places.open_dm),
        ("POST", "/people", places.add_person),
        ("POST", "/commands", interactions.command),
        ("POST", "/actions", interactions.act),
        ("POST", "/options", interactions.options),
        ("GET", "/views", interactions.views),
        ("POST", "/views/{view}/submit", interactions.submit),
        ("POST", "/views/{view}/close", interactions.close),
        ("POST", "/home", interactions.open_home),
        ("GET", "/home", interactions.home),
        ("POST", "/reactions", rooms.react),
        ("DELETE", "/reactions", rooms.react),
        ("POST", "/shortcuts", interactions.shortcut),
        ("GET", "/files/{file}/content", filedrops.file_content),
        ("POST", "/files", filedrops.upload),
        ("DELETE", "/files/{file}", filedrops.delete_file),
        ("GET", "/events", rooms.events),
        ("POST", "/control", control(api)),
    ]
    return [Route(f"/ui{path}", endpoint(world, action), methods=[verb]) for verb, path, action in table]

"""views.*: modals and the Home tab."""

from __future__ import annotations

from localslack.errors import ApiError
from localslack.records import JSON, View
from localslack.shapes import view_json
from localslack.webapi.content import checked_view
from localslack.webapi.registry import Call, method
from localslack.windows import new_home


def show_view(call: Call, kind: str, view: View) -> JSON:
    """Tell the person's page and answer the app."""
    body = view_json(view, call.world.me)
    call.world.feed.publish({"type": kind, "view": body}, frozenset({view.user}))
    return {"view": body}


def _trigger(call: Call) -> str:
    if not call.get("trigger_id"):
        raise ApiError("invalid_arguments", "[ERROR] missing required field: trigger_id")
    return call.world.windows.exchange(call.get("trigger_id"))


def _free_external_id(call: Call, view: JSON, own: View | None = None) -> None:
    external_id = view.get("external_id")
    if external_id:
        taken = call.world.windows.find(external_id=external_id)
        if taken is not None and (own is None or taken.id != own.id):
            raise ApiError("duplicate_external_id")


@method("views.open", "view!:obj trigger_id interactivity_pointer", tier="t4")
def open_view(call: Call) -> JSON:
    view = checked_view(call.world, call.get("view"), "modal")
    _free_external_id(call, view)
    return show_view(call, "view_opened", call.world.windows.open(_trigger(call), view))


@method("views.push", "view!:obj trigger_id interactivity_pointer", tier="t4")
def push_view(call: Call) -> JSON:
    view = checked_view(call.world, call.get("view"), "modal")
    _free_external_id(call, view)
    return show_view(call, "view_pushed", call.world.windows.push(_trigger(call), view))


@method("views.update", "view!:obj view_id external_id hash", tier="t4")
def update_view(call: Call) -> JSON:
    if not call.get("view_id") and not call.get("external_id"):
        raise ApiError("invalid_arguments", "[ERROR] one of view_id and external_id is needed")
    body = checked_view(call.world, call.get("view"), "modal")
    view = call.world.windows.find(call.get("view_id"), call.get("external_id"))
    if view is None:
        raise ApiError("not_found")
    if call.get("hash") not in (None, "", view.hash):
        raise ApiError("hash_conflict")
    _free_external_id(call, body, view)
    return show_view(call, "view_updated", call.world.windows.update(view, body))


@method("views.publish", "user_id! view!:obj hash interactivity_pointer", tier="t4")
def publish_view(call: Call) -> JSON:
    world, user = call.world, call.world.user(call.get("user_id"))
    if not world.manifest.home_tab:
        raise ApiError("not_enabled")
    if user is None or user.is_bot:
        raise ApiError("invalid_arguments", "[ERROR] unknown user [json-pointer:/user_id]")
    body = checked_view(world, call.get("view"), "home")
    before = world.store.home(user.id)
    if call.get("hash") and before is not None and call.get("hash") != before.hash:
        raise ApiError("hash_conflict")
    view = new_home(user.id, body, before)
    world.store.save_home(view)
    shown = view_json(view, world.me)
    world.feed.publish({"type": "home", "view": shown}, frozenset({user.id}))
    return {"view": shown}

"""users.*, team.info, bots.info, auth.test, api.test, apps.connections.open."""

from __future__ import annotations

from localslack import shapes
from localslack.errors import ApiError
from localslack.records import JSON
from localslack.webapi.conversations import page
from localslack.webapi.registry import Call, method


@method("api.test", "error foo", tier="t4", caller="anybody")
def api_test(call: Call) -> JSON:
    if call.get("error"):
        raise ApiError(call.get("error"), args=call.args)
    return {"args": call.args}


@method("auth.test", "", tier="special")
def auth_test(call: Call) -> JSON:
    me = call.world.me
    return {
        "url": f"{call.world.base_url}/",
        "team": me.team_name,
        "user": call.world.bot.name,
        "team_id": me.team_id,
        "user_id": me.bot_user_id,
        "bot_id": me.bot_id,
        "is_enterprise_install": False,
    }


@method("users.info", "user! include_locale:bool", tier="t4", scopes="users:read")
def user_info(call: Call) -> JSON:
    user = call.world.user(call.get("user"))
    if user is None:
        raise ApiError("user_not_found")
    body = shapes.user_json(user, call.world.me)
    return {"user": body | ({"locale": "en-US"} if call.get("include_locale") else {})}


@method("users.list", "cursor include_locale:bool limit:int team_id", tier="t2", scopes="users:read")
def user_list(call: Call) -> JSON:
    found, cursor = page(call, call.world.users, 1000)
    return {
        "members": [shapes.user_json(user, call.world.me) for user in found],
        "cache_ts": int(call.world.clock.now()),
        "response_metadata": {"next_cursor": cursor},
    }


@method("team.info", "team domain include_slackbot_availability:bool", scopes="team:read")
def team_info(call: Call) -> JSON:
    me = call.world.me
    if call.get("team") not in (None, me.team_id):
        raise ApiError("team_not_found")
    icon: JSON = {f"image_{size}": "" for size in (34, 44, 68, 88, 102, 132, 230)}
    return {
        "team": {
            "id": me.team_id,
            "name": me.team_name,
            "url": f"{call.world.base_url}/",
            "domain": me.team_domain,
            "email_domain": "",
            "icon": icon | {"image_default": True},
            "avatar_base_url": "",
            "is_verified": False,
        }
    }


@method("bots.info", "bot team_id", scopes="users:read")
def bot_info(call: Call) -> JSON:
    me = call.world.me
    if not call.get("bot"):
        return {}
    if call.get("bot") != me.bot_id:
        raise ApiError("bot_not_found")
    body = shapes.bot_profile(me, call.world.manifest.bot_name) | {"user_id": me.bot_user_id}
    body.pop("team_id")
    return {"bot": body}

"""Records as Slack shows them in the Web API and in events. Keys as in Slack's answers."""

from __future__ import annotations

from localslack.ids import short_id
from localslack.records import JSON, Channel, File, Identity, Message, Share, User, View

_IMAGE_SIZES = (64, 80, 360)


def user_json(user: User, me: Identity) -> JSON:
    profile: JSON = {
        "title": "",
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": user.real_name.split(" ")[0],
        "last_name": "",
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
        "avatar_hash": "",
        "team": user.team or me.team_id,
    }
    if user.bot_id is not None:
        profile |= {"bot_id": user.bot_id, "api_app_id": me.app_id, "always_active": True}
    return {
        "id": user.id,
        "team_id": user.team or me.team_id,
        "name": user.name,
        "deleted": False,
        "color": "3b6b8f",
        "real_name": user.real_name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": user.is_owner,
        "is_owner": user.is_owner,
        "is_primary_owner": user.is_owner,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        **({"is_stranger": True} if user.team else {}),
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_email_confirmed": not user.is_bot,
        "updated": 1_700_000_000,
        "who_can_share_contact_card": "EVERYONE",
    }


def bot_profile(me: Identity, name: str) -> JSON:
    return {
        "id": me.bot_id,
        "app_id": me.app_id,
        "name": name,
        "icons": {"image_36": "", "image_48": "", "image_72": ""},
        "deleted": False,
        "updated": 1_700_000_000,
        "team_id": me.team_id,
    }


def channel_json(channel: Channel, me: Identity, *, other: str | None = None) -> JSON:
    """``other`` is the person of a direct message with the app."""
    common: JSON = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "context_team_id": me.team_id,
        "updated": channel.created * 1000,
    }
    if channel.kind == "im":
        return common | {"user": other or ""}
    return common | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.is_private,
        "is_general": channel.name == "general",
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_pending_ext_shared": False,
        "shared_team_ids": [me.team_id],
        "pending_shared": [],
        "pending_connected_team_ids": [],
        "unlinked": 0,
        "creator": channel.creator,
        "previous_names": [],
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def file_json(file: File, me: Identity, base_url: str, now: float, kinds: dict[str, str]) -> JSON:
    """``kinds`` gives each channel's kind, for ``shares``, ``channels``, ``groups`` and ``ims``."""
    ready = now >= file.ready_at
    host = f"https://{file.host}" if file.host else base_url
    private = f"{host}/files-pri/{me.team_id}-{file.id}"
    body: JSON = {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype if ready else "",
        "filetype": file.filetype if ready else "",
        "pretty_type": file.filetype.upper() if ready else "",
        "user": file.user,
        "user_team": me.team_id,
        "editable": file.mode == "snippet",
        "size": file.size,
        "mode": file.mode,
        "is_external": file.mode == "external",
        "external_type": "gdrive" if file.mode == "external" else "",
        "is_public": any(kinds.get(share.channel) == "channel" for share in file.shares),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{private}/{file.name}",
        "url_private_download": f"{private}/download/{file.name}",
        "permalink": f"{base_url}/files/{file.user}/{file.id}/{file.name}",
        "file_access": "visible",
        "comments_count": 0,
        "is_starred": False,
        "has_more_shares": False,
        "has_rich_preview": False,
        "shares": _shares_json(file.shares, me, kinds),
    }
    for key, kind in (("channels", "channel"), ("groups", "group"), ("groups", "mpim"), ("ims", "im")):
        here = (share.channel for share in file.shares if kinds.get(share.channel) == kind)
        body[key] = list(dict.fromkeys([*body.get(key, ()), *here]))
    if file.mode == "external":
        body |= {"url_private": "https://drive.example.com/" + file.id}
        body.pop("url_private_download")
    if file.alt_txt:
        body["alt_txt"] = file.alt_txt
    if file.is_image and ready:
        body |= {f"thumb_{size}": f"{private}/{file.name}" for size in _IMAGE_SIZES}
    return body


def stub_json(file: File) -> JSON | None:
    """What a message shows of a file that is gone, over the limit, or of another workspace; else None."""
    if file.deleted:
        return {"id": file.id, "mode": "tombstone"}
    if file.mode == "hidden_by_limit":
        return {"id": file.id, "mode": "hidden_by_limit"}
    if file.stub:
        seen: JSON = {"mode": "file_access", "file_access": "check_file_info"}
        return {"id": file.id, "created": 0, "timestamp": 0, "user": "", **seen}
    return None


def _shares_json(shares: list[Share], me: Identity, kinds: dict[str, str]) -> JSON:
    found: JSON = {}
    for share in shares:
        side = "public" if kinds.get(share.channel) == "channel" else "private"
        entry: JSON = {"ts": share.ts, "team_id": me.team_id, "reply_users": [], "reply_users_count": 0}
        entry["reply_count"] = 0
        if share.thread_ts:
            entry["thread_ts"] = share.thread_ts
        found.setdefault(side, {}).setdefault(share.channel, []).append(entry)
    return found


def message_json(message: Message, me: Identity, bot_name: str, files: list[JSON]) -> JSON:
    """A message without its thread figures and reactions."""
    body: JSON = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": me.team_id,
    }
    if message.from_app:
        body |= {"bot_id": me.bot_id, "app_id": me.app_id}
        body["bot_profile"] = bot_profile(me, bot_name)
    optional: JSON = {
        "subtype": message.subtype,
        "client_msg_id": message.client_msg_id,
        "thread_ts": message.thread_ts,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "edited": message.edited,
    }
    body |= {key: value for key, value in optional.items() if value is not None}
    if files:
        body |= {"files": files, "upload": False, "display_as_bot": False}
    return body


def view_json(view: View, me: Identity) -> JSON:
    """A view as the Web API and interactions carry it."""
    body = view.body
    shown: JSON = {
        "id": view.id,
        "team_id": me.team_id,
        "type": body["type"],
        "blocks": body.get("blocks", []),
        "private_metadata": body.get("private_metadata") or "",
        "callback_id": body.get("callback_id") or "",
        "state": {"values": view.state},
        "hash": view.hash,
        "title": _plain(body.get("title") or {"type": "plain_text", "text": "View Title"}),
        "clear_on_close": bool(body.get("clear_on_close")),
        "notify_on_close": bool(body.get("notify_on_close")),
        "close": _plain(body["close"]) if body.get("close") else None,
        "submit": _plain(body["submit"]) if body.get("submit") else None,
        "previous_view_id": view.previous_id,
        "root_view_id": view.root_id,
        "app_id": me.app_id,
        "external_id": body.get("external_id") or "",
        "app_installed_team_id": me.team_id,
        "bot_id": me.bot_id,
    }
    return shown


def _plain(text: JSON) -> JSON:
    return {"type": "plain_text", "text": text["text"], "emoji": bool(text.get("emoji", True))}


def with_ids(blocks: list[JSON]) -> list[JSON]:
    """Blocks with the ids that Slack fills in: ``block_id``, and ``action_id`` for interactive elements."""
    return [_block_with_ids(block) for block in blocks]


def _block_with_ids(block: JSON) -> JSON:
    block = {**block, "block_id": block.get("block_id") or short_id()}
    kind = block["type"]
    if kind in ("actions", "context_actions"):
        block["elements"] = [_element_with_id(element) for element in block["elements"]]
    elif kind == "input":
        block["element"] = _element_with_id(block["element"])
    elif kind == "section" and block.get("accessory") and block["accessory"]["type"] != "image":
        block["accessory"] = _element_with_id(block["accessory"])
    elif kind == "card" and block.get("actions"):
        block["actions"] = [_element_with_id(element) for element in block["actions"]]
    elif kind == "container":
        key = "child_blocks" if "child_blocks" in block else "blocks"
        block[key] = with_ids(block.get(key) or [])
    elif kind == "carousel":
        block["elements"] = with_ids(block["elements"])
    return block


def _element_with_id(element: JSON) -> JSON:
    return {**element, "action_id": element.get("action_id") or short_id()}

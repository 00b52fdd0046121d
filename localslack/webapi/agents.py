"""assistant.threads.* and agents.sessions.*."""

from __future__ import annotations

from typing import Any, cast

from localslack import sessions
from localslack.errors import ApiError
from localslack.records import JSON, Channel
from localslack.webapi.registry import Call, method

MAX_TITLE = 200
MAX_PROMPTS = 4
MAX_LOADING = 10


@method(
    "assistant.threads.setStatus",
    "channel_id! thread_ts! status! loading_messages:list icon_emoji icon_url username",
    tier="special",
    scopes="chat:write",
)
def set_thread_status(call: Call) -> JSON:
    channel = call.joined_channel("channel_id")
    if call.world.store.message(channel.id, call.get("thread_ts")) is None:
        raise ApiError("invalid_thread_ts")
    if len(call.get("loading_messages") or []) > MAX_LOADING:
        raise ApiError(
            "invalid_arguments", f"[ERROR] at most {MAX_LOADING} items [json-pointer:/loading_messages]"
        )
    call.world.set_status(channel, call.get("thread_ts"), call.get("status"))
    return {}


def _agent(call: Call) -> None:
    if not call.world.manifest.agent:
        raise ApiError("not_agent_app")


@method("assistant.threads.setTitle", "channel_id! thread_ts! title!", tier="t4", scopes="assistant:write")
def set_title(call: Call) -> JSON:
    _agent(call)
    channel = call.joined_channel("channel_id")
    if call.world.store.message(channel.id, call.get("thread_ts")) is None:
        raise ApiError("invalid_thread_ts")
    return {}


@method(
    "assistant.threads.setSuggestedPrompts",
    "channel_id! prompts!:list thread_ts title",
    tier="t4",
    scopes="assistant:write",
)
def set_prompts(call: Call) -> JSON:
    """Up to four prompts with a title and a message each; shown in the direct message."""
    _agent(call)
    channel = call.joined_channel("channel_id")
    prompts: list[Any] = call.get("prompts")
    for number, prompt in enumerate(prompts):
        if not isinstance(prompt, dict) or set(cast("JSON", prompt)) != {"title", "message"}:
            raise ApiError(
                "invalid_arguments", f"[ERROR] needs title and message [json-pointer:/prompts/{number}]"
            )
    call.world.prompts[channel.id] = prompts[:MAX_PROMPTS]
    call.world.feed.publish(
        {"type": "prompts", "channel": channel.id, "prompts": prompts[:MAX_PROMPTS]},
        call.world.audience(channel),
    )
    return {}


def _thread(call: Call) -> tuple[Channel, str]:
    if not call.get("channel_id"):
        raise ApiError("channel_not_found")
    channel = call.channel("channel_id")
    if not call.world.bot_in(channel.id):
        raise ApiError("not_authorized")
    if not call.get("thread_ts"):
        raise ApiError("thread_ts_required")
    return channel, call.world.message(channel.id, call.get("thread_ts")).ts


@method(
    "agents.sessions.setStatus",
    "channel_id status! thread_ts title initiator_user_id icon_emoji icon_url username",
    scopes="chat:write",
)
def set_session_status(call: Call) -> JSON:
    channel, thread_ts = _thread(call)
    if any(call.get(name) for name in ("username", "icon_emoji", "icon_url")):
        call.need_scope("chat:write.customize")
    person = call.get("initiator_user_id")
    if person and person not in call.world.store.members(channel.id):
        raise ApiError("user_not_found")
    _check_title(call)
    session = sessions.set_status(call.world, channel, thread_ts, call.get("status"), call.get("title"))
    answer: JSON = {"status": session.status, "agent_status": session.status, "title": session.title}
    if sessions.STOPPED not in call.world.manifest.bot_events:
        answer["warning"] = "missing_agent_session_stopped_event_subscription"
    return answer


@method("agents.sessions.rename", "channel_id! title! thread_ts", scopes="chat:write")
def rename_session(call: Call) -> JSON:
    channel, thread_ts = _thread(call)
    _check_title(call)
    return {"title": sessions.rename(call.world, channel, thread_ts, call.get("title")).title}


def _check_title(call: Call) -> None:
    title = call.get("title")
    if title is not None and not 1 <= len(title) <= MAX_TITLE:
        raise ApiError(
            "invalid_arguments", f"[ERROR] must have 1 to {MAX_TITLE} characters [json-pointer:/title]"
        )

"""Streamed answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import until

from .conftest import EVENTS, Workspace, workspace
from .test_webapi import error


async def begin(ws: Workspace, **more: Any) -> dict[str, Any]:
    """A stream in a thread of #general: channel and ts, ready for the next call."""
    channel, root = ws.channel("general"), await ws.jin.say("general", "@ftbot tell me")
    started = await ws.client.chat_startStream(
        channel=channel,
        thread_ts=root["ts"],
        recipient_user_id=ws.user("jin"),
        recipient_team_id=ws.world.me.team_id,
        **more,
    )
    return {"channel": channel, "ts": started["ts"]}


async def test_a_stream_grows_and_ends_as_one_message(ws: Workspace) -> None:
    place = await begin(ws, markdown_text="Once ")
    await ws.client.chat_appendStream(**place, markdown_text="upon ")
    seen = ws.world.message(place["channel"], place["ts"])
    assert ws.world.message_ui(seen)["streaming"] is True
    divider = {"type": "divider"}
    await ws.client.chat_stopStream(**place, markdown_text="a time", blocks=[divider])
    thread = await ws.client.conversations_replies(channel=place["channel"], ts=seen.thread_ts)
    assert thread["messages"][1]["text"] == "Once upon a time"
    assert [block["type"] for block in thread["messages"][1]["blocks"]] == ["markdown", "divider"]
    assert "streaming" not in ws.world.message_ui(ws.world.message(place["channel"], place["ts"]))


async def test_the_sdks_stream_helper_works(ws: Workspace) -> None:
    root = await ws.jin.say("general", "@ftbot tell me")
    stream = await ws.client.chat_stream(
        channel=ws.channel("general"),
        thread_ts=root["ts"],
        recipient_user_id=ws.user("jin"),
        recipient_team_id=ws.world.me.team_id,
        buffer_size=5,
    )
    await stream.append(markdown_text="hello ")
    await stream.append(markdown_text="world")
    await stream.stop()
    replies = (await ws.jin.get(f"/channels/general/threads/{root['ts']}"))["messages"]
    assert replies[1]["text"] == "hello world"


async def test_a_stream_in_a_channel_names_for_whom_it_is(ws: Workspace) -> None:
    root = await ws.jin.say("general", "x")
    place: dict[str, Any] = {"channel": ws.channel("general"), "thread_ts": root["ts"]}
    assert await error(ws, "chat.startStream", **place) == "missing_recipient_user_id"
    place["recipient_user_id"] = ws.user("jin")
    assert await error(ws, "chat.startStream", **place) == "missing_recipient_team_id"


async def test_a_streaming_message_is_not_changed_otherwise(ws: Workspace) -> None:
    place = await begin(ws)
    assert await error(ws, "chat.update", **place, text="x") == "streaming_state_conflict"
    await ws.client.chat_stopStream(**place)
    await ws.client.chat_update(**place, text="x")
    assert (
        await error(ws, "chat.appendStream", **place, markdown_text="y") == "message_not_in_streaming_state"
    )
    assert await error(ws, "chat.stopStream", **place) == "message_not_in_streaming_state"


async def test_a_stream_is_closed_after_five_minutes_and_can_be_rescued(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await begin(ws, markdown_text="slow")
    now = ws.world.clock.now()
    monkeypatch.setattr(ws.world.clock, "now", lambda: now + 301)
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await error(ws, method, **place, markdown_text="x") == "message_not_in_streaming_state"
    await ws.client.chat_update(**place, text="rescued")


async def test_a_stream_has_a_greatest_length_in_all(ws: Workspace) -> None:
    place = await begin(ws, markdown_text="ü" * 5_000)
    assert await error(ws, "chat.appendStream", **place, markdown_text="ü" * 301) == "msg_too_long"
    assert await error(ws, "chat.appendStream", **place, markdown_text="x" * 12_001) == "msg_too_long"
    await ws.client.chat_appendStream(**place, markdown_text="ü" * 300)


async def test_a_streams_life_can_be_shortened(ws: Workspace) -> None:
    await ws.jin.post("/control", {"stream_seconds": 0})
    place = await begin(ws)
    code = await error(ws, "chat.appendStream", **place, markdown_text="x")
    assert code == "message_not_in_streaming_state"


async def test_a_plan_gathers_its_tasks_and_a_task_keeps_its_place(ws: Workspace) -> None:
    def task(name: str, status: str, **more: Any) -> dict[str, Any]:
        return {"type": "task_update", "id": name, "title": name, "status": status, **more}

    chunks = [{"type": "plan_update", "title": "Steps"}, task("a", "in_progress"), task("b", "pending")]
    place = await begin(ws, task_display_mode="plan", chunks=chunks)
    await ws.client.chat_appendStream(**place, chunks=[task("a", "complete", output="42 rows")])
    (plan,) = ws.world.message(place["channel"], place["ts"]).blocks or []
    assert (plan["type"], plan["title"]) == ("plan", "Steps")
    assert [(t["title"], t["status"]) for t in plan["tasks"]] == [("a", "complete"), ("b", "pending")]
    assert plan["tasks"][0]["output"]["type"] == "rich_text"


async def test_a_person_stops_an_answer_and_the_app_hears_of_it(tmp_path: Path) -> None:
    async with workspace(tmp_path, events=[*EVENTS, "agent_session_stopped"]) as ws:
        place = await begin(ws, markdown_text="Once upon")
        thread = ws.world.message(place["channel"], place["ts"]).thread_ts
        where: dict[str, Any] = {"channel_id": place["channel"], "thread_ts": thread}
        path = f"/channels/general/threads/{thread}"
        assert (await ws.jin.post(f"{path}/stop"))["error"] == "not_stoppable"
        answer = await ws.client.agents_sessions_setStatus(**where, status="processing", title="A tale")
        assert (answer["status"], answer["title"]) == ("processing", "A tale")
        shown = {"status": "processing", "title": "A tale", "stoppable": True}
        assert (await ws.jin.get(path))["session"] == shown
        assert (await ws.jin.post(f"{path}/stop"))["stopped"] == [place["ts"]]
        (event,) = await ws.jin.events("agent_session_stopped")
        assert event["event"]["streaming_message_ts"] == [place["ts"]]
        assert event["event"]["user"] == ws.user("jin")
        assert await error(ws, "chat.appendStream", **place, markdown_text="x") == "stopped_by_user"
        await ws.client.chat_update(**place, text="Stopped.")
        await ws.client.agents_sessions_setStatus(**where, status="active")
        await ws.client.agents_sessions_rename(**where, title="A short tale")
        shown = {"status": "active", "title": "A short tale", "stoppable": False}
        assert (await ws.jin.get(path))["session"] == shown


async def test_an_app_that_cannot_hear_a_stop_is_warned(ws: Workspace) -> None:
    root = await ws.jin.say("general", "x")
    where: dict[str, Any] = {"channel_id": ws.channel("general"), "thread_ts": root["ts"]}
    answer = await ws.client.agents_sessions_setStatus(**where, status="processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
    assert (await ws.jin.get(f"/channels/general/threads/{root['ts']}"))["session"]["stoppable"] is False
    assert await error(ws, "agents.sessions.setStatus", **where, status="lazy") == "invalid_status"
    alone = {"channel_id": where["channel_id"], "status": "active"}
    assert await error(ws, "agents.sessions.setStatus", **alone) == "thread_ts_required"
    assert await error(ws, "assistant.threads.setTitle", **where, title="x") == "missing_scope"


async def test_a_stream_ends_with_its_session(ws: Workspace) -> None:
    place = await begin(ws, markdown_text="x")
    done = await ws.client.chat_stopStream(**place, session_status="closed")
    assert (done["ts"], done["message"]["text"]) == (place["ts"], "x")
    thread = done["message"]["thread_ts"]
    assert (await ws.jin.get(f"/channels/general/threads/{thread}"))["session"]["status"] == "closed"


async def test_chunks_show_tasks_and_wrong_ones_are_refused(ws: Workspace) -> None:
    place = await begin(ws, chunks=[{"type": "task_update", "id": "a", "title": "A", "status": "pending"}])
    done = {"type": "task_update", "id": "a", "title": "A", "status": "complete"}
    await ws.client.chat_appendStream(**place, chunks=[done, {"type": "markdown_text", "text": "ok"}])
    blocks = ws.world.message(place["channel"], place["ts"]).blocks or []
    assert [(b["type"], b.get("status")) for b in blocks] == [("markdown", None), ("task_card", "complete")]
    assert await error(ws, "chat.appendStream", **place, chunks=[{"type": "no"}]) == "invalid_chunks"
    assert await error(ws, "chat.appendStream", **place) == "no_text"


async def test_a_status_goes_when_the_app_answers(ws: Workspace) -> None:
    channel, root = ws.channel("general"), await ws.jin.say("general", "x")
    await ws.client.assistant_threads_setStatus(channel_id=channel, thread_ts=root["ts"], status="thinks")
    await ws.client.chat_postMessage(channel=channel, thread_ts=root["ts"], text="done")
    lines: list[str] = []
    async for line in ws.world.feed.follow(ws.user("jin"), 0):
        lines.append(line)
        if '"text": "done"' in line:
            break
    said = [line for line in lines if '"status"' in line]
    await until(lambda: len(said) == 2)
    assert '"text": "thinks"' in said[0]
    assert '"text": ""' in said[1]

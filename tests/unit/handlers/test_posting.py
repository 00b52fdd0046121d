"""Pictures: what may pass is tried again, what may not is left out, and a message never waits for it."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from handlers import posting
from handlers.posting import Desk
from tests.support.outgoing import Outgoing, outgoing
from tuning.pictures import Picture

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
PICTURE = Picture(PNG, "Loss", "It falls.")


@pytest.fixture
async def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Outgoing]:
    monkeypatch.setattr(posting, "PICTURE_WAIT", 0.01)
    async with outgoing(tmp_path) as found:
        yield found


async def order(out: Outgoing, **orders: Any) -> None:
    answer = await out.jin.ask("POST", "/control", orders)
    assert answer["ok"], answer


@pytest.mark.parametrize("fault", [{"status": 500}, {"cut": True}, {"error": "internal_error"}])
async def test_a_picture_whose_upload_broke_is_uploaded_again(out: Outgoing, fault: dict[str, Any]) -> None:
    await order(out, fail={"method": "files.getUploadURLExternal", "times": 2, **fault})
    block = await Desk(out.house.client).upload(PICTURE)
    assert block is not None
    assert block["alt_text"] == "It falls."


async def test_a_picture_that_slack_limits_waits_and_comes_however_often(
    out: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rest that Slack asks for is no failed try."""
    monkeypatch.setattr(posting, "retry_after", lambda problem: 0.01)
    await order(out, rate_limit={"method": "files.completeUploadExternal", "seconds": 1, "times": 4})
    assert await Desk(out.house.client).upload(PICTURE) is not None


async def test_a_picture_that_slack_does_not_take_is_left_out_at_once(out: Outgoing) -> None:
    await order(
        out,
        fail={"method": "files.getUploadURLExternal", "times": 9, "error": "missing_scope", "effect": False},
    )
    assert await Desk(out.house.client).upload(PICTURE) is None
    calls = (await out.jin.ask("POST", "/control", {"calls": True}))["calls"]
    assert [call["method"] for call in calls].count("files.getUploadURLExternal") <= 1


async def test_a_picture_that_never_goes_up_is_left_out_in_the_end(out: Outgoing) -> None:
    await order(out, fail={"method": "files.getUploadURLExternal", "times": 99, "status": 503})
    assert await Desk(out.house.client).upload(PICTURE) is None


@pytest.mark.parametrize("effect", [True, False], ids=["posted", "not posted"])
async def test_a_message_that_was_answered_with_a_page_is_said_once(out: Outgoing, effect: bool) -> None:
    """A proxy's 502 is no JSON, and says nothing of what Slack did."""
    await order(out, fail={"method": "chat.postMessage", "status": 502, "effect": effect})
    channel = out.channel()
    await out.note("n1", "once", channel)
    await out.note("n2", "then this", channel)
    await out.deliver(rounds=6)
    assert await out.texts(channel) == ["once", "then this"]

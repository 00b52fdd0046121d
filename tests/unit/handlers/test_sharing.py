"""A file that a click asked for is shared once, also when ftbot died before it knew."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from handlers.incoming import Incoming
from handlers.posting import UNKNOWN
from handlers.reply import passing
from handlers.sharing import share
from tests.support.outgoing import Outgoing, outgoing
from tests.support.waiting import until


@pytest.fixture
async def out(tmp_path: Path) -> AsyncGenerator[Outgoing]:
    async with outgoing(tmp_path) as found:
        yield found


async def shared(out: Outgoing, clicked: Incoming, root: str) -> None:
    await share(
        out.house,
        clicked,
        channel=clicked.channel,
        thread=root,
        filename="triage-7-results.csv",
        title="Figures",
        content=b"step,loss\n1,2\n",
    )


async def files(out: Outgoing, channel: str, root: str) -> list[str]:
    return [f["name"] for m in await out.jin.thread(channel, root) for f in m.get("files") or []]


async def test_the_same_click_brings_its_file_once_and_another_click_brings_it_again(out: Outgoing) -> None:
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    click = Incoming(kind="action", user="U1", channel=channel, ts=root, trigger_id="1.2.a")
    for _ in range(2):  # handled, then handled again after a crash
        await shared(out, click, root)
    await shared(out, replace(click, trigger_id="1.3.b"), root)

    async def both() -> list[str] | None:
        names = await files(out, channel, root)
        return names if len(set(names)) == 2 else None

    names = await until(both)
    assert len(names) == 2
    assert all(name.startswith("triage-7-results-") and name.endswith(".csv") for name in names)


FAULTS: list[dict[str, Any]] = [
    {"rate_limit": {"method": "files.getUploadURLExternal", "seconds": 1, "times": 1}},
    {"fail": {"method": "upload", "status": 429}},
    {"fail": {"method": "upload", "cut": True}},
    {"rate_limit": {"method": "files.completeUploadExternal", "seconds": 1, "times": 1}},
    {"fail": {"method": "files.completeUploadExternal", "cut": True}},
    {"fail": {"method": "files.completeUploadExternal", "status": 502}},
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_step_of_the_upload_that_breaks_is_tried_again_and_brings_the_file_once(
    out: Outgoing, fault: dict[str, Any]
) -> None:
    channel = out.channel()
    root = await out.jin.say(channel, "here")
    click = Incoming(kind="action", user="U1", channel=channel, ts=root, trigger_id="1.2.a")
    assert (await out.jin.ask("POST", "/control", fault))["ok"]
    with pytest.raises((SlackApiError, *UNKNOWN)) as raised:
        await shared(out, click, root)
    assert passing(raised.value)

    async def listed() -> bool:
        """Slack lists what it took a moment later."""
        await shared(out, click, root)
        return bool(await files(out, channel, root))

    await until(listed)
    assert len(await files(out, channel, root)) == 1

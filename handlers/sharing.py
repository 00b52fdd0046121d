"""Files that a person asked for by a click: shared once for each click, also when ftbot dies in between.

A shared file has no metadata, so the click's id stands in its name. Before a file is shared it is looked
whether the same click has brought it already.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import Any, cast

import structlog
from slack_sdk.errors import SlackApiError

from handlers.house import House
from handlers.incoming import Incoming
from handlers.reply import passing
from handlers.slackapi import code_of

log = structlog.get_logger(__name__)

LOOK_BACK = 86_400.0
"""Seconds; a click is handled within a day or not at all."""
NEWEST = 1_000
"""Files of ours that are looked through."""


async def share(
    house: House,
    clicked: Incoming,
    *,
    channel: str,
    thread: str | None,
    filename: str,
    title: str,
    content: bytes,
    alt: str | None = None,
) -> None:
    """Shares a file in a thread, unless this very click has done so before.

    Raises:
        SlackApiError: Slack does not take it.
    """
    named = _named(filename, clicked)
    if await _is_there(house, named):
        log.info("file_was_shared")
        return
    await house.client.files_upload_v2(
        channel=channel, thread_ts=thread, filename=named, title=title, content=content, alt_txt=alt
    )


def _named(filename: str, clicked: Incoming) -> str:
    """The name with the click's id: the same click always has the same."""
    path = PurePath(filename)
    told = f"{clicked.trigger_id}:{clicked.channel}:{clicked.ts}:{clicked.user}"
    return f"{path.stem}-{hashlib.sha256(told.encode()).hexdigest()[:8]}{path.suffix}"


async def _is_there(house: House, named: str) -> bool:
    """Looked for among all our files: Slack lists a file in its channel only a moment after it was shared."""
    since = str(int(max(0.0, house.clock() - LOOK_BACK)))
    try:
        answer = await house.client.files_list(user=house.bot_user_id, ts_from=since, count=NEWEST)
    except SlackApiError as problem:
        if passing(problem):
            raise
        log.info("files_not_listed", error=code_of(problem))
        return False
    files = cast("list[dict[str, Any]]", answer.get("files") or [])
    return any(file.get("name") == named for file in files)

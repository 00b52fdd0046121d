"""Half answers: one that was broken off says so, at a stop of ftbot, or after a crash at the next start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.house import House
from handlers.posting import UNKNOWN
from handlers.slackapi import code_of, limited
from storage import begun
from storage.begun import Begun

EDIT_TEXT = 3_000

log = structlog.get_logger(__name__)

STOPPED = "⏸ _I was stopped here. When I am back, I answer anew below._"
CUT_OFF = "⏸ _I was cut off here. The whole answer follows below._"


def keeper(house: House, channel: str, item_id: int) -> Callable[[str], Awaitable[None]]:
    """Notes each message that the answer to an inbox item takes."""

    async def keep(ts: str) -> None:
        await house.store.write(lambda db: begun.add(db, Begun(channel, ts, item_id)))

    return keep


async def close(house: House, thread: str, item_id: int, words: str) -> None:
    """Ends the message in which the answer to an item was growing with ``words``; none begun, none ended.

    What Slack refuses here is only logged: the answer itself is what matters.
    """
    half = await house.store.read(lambda db: begun.newest(db, item_id))
    if half is None:
        return
    try:
        await _end(house.client, half.channel, thread, half.ts, words)
    except (SlackApiError, *UNKNOWN) as problem:
        passing = not isinstance(problem, SlackApiError) or limited(problem)
        name = code_of(problem) if isinstance(problem, SlackApiError) else type(problem).__name__
        log.warning("half_answer_not_closed", problem=name)
        if passing and words == STOPPED:
            return  # it stays on record and is closed at the next start
    await house.store.write(lambda db: begun.forget(db, item_id))


async def _end(client: AsyncWebClient, channel: str, thread: str, ts: str, words: str) -> None:
    try:
        await client.chat_stopStream(channel=channel, ts=ts, markdown_text=f"\n\n{words}")
    except SlackApiError as problem:
        if limited(problem):
            raise
        # No stream, or one that Slack has ended by itself.
        text = await _text(client, channel, thread, ts)
        whole = f"{text}\n\n{words}".strip()
        blocks = [{"type": "markdown", "text": whole}]
        await client.chat_update(channel=channel, ts=ts, text=whole[:EDIT_TEXT], blocks=blocks)


async def _text(client: AsyncWebClient, channel: str, thread: str, ts: str) -> str:
    """What a message of ours shows of its answer."""
    answer = await client.conversations_replies(
        channel=channel, ts=thread, oldest=ts, latest=ts, inclusive=True, limit=2
    )
    messages = cast("list[dict[str, Any]]", answer.get("messages") or [])
    found = [m for m in messages if m.get("ts") == ts]
    blocks = cast("list[dict[str, Any]]", found[0].get("blocks") or []) if found else []
    return "\n".join(str(block["text"]) for block in blocks if block.get("type") == "markdown")

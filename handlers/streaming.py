"""One answer of a model, growing in Slack: a native stream, or a message edited at most once a second.

Slack's limits behind the figures here (measured by others, not documented): a streamed message breaks at
about 11,000 bytes of text in all, and its stream is closed after about five minutes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import Block
from handlers.slackapi import code_of, limited, retry_after, text_in
from tuning.clock import Clock

log = structlog.get_logger(__name__)

INTERVAL = 1.0
"""Seconds between two sendings of one answer; streams and edits share Slack's per-method limits."""
PART_BYTES = 9_000
PART_SECONDS = 240.0
EDIT_TEXT = 3_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes and for whom; ``team_id`` and ``user`` are needed to stream in a channel."""

    channel: str
    thread: str
    user: str
    team_id: str
    is_dm: bool


class AnswerWriter:
    """Takes the text of one answer in pieces that are harmless already and brings it to Slack.

    ``first_ts`` is the message the answer begins in, once there is one.
    """

    def __init__(self, client: AsyncWebClient, place: Place, clock: Clock) -> None:
        self._client = client
        self._place = place
        self._clock = clock
        self._streams = True
        self._ts: str | None = None
        self._shown = ""
        self._pending = ""
        self._not_before = 0.0
        self._begun_at = 0.0
        self.first_ts: str | None = None

    async def add(self, text: str) -> None:
        """Takes a piece; it is shown at once or with one of the next pieces."""
        self._pending += text
        if self._pending and self._clock() >= self._not_before:
            await self._flush()

    async def finish(self, blocks: list[Block]) -> str:
        """Shows all the rest with ``blocks`` under it; answers the message the answer begins in."""
        if self._pending or self._ts is None:
            await self._flush(last=True)
        await self._close(blocks)
        return self.first_ts or ""

    async def _flush(self, *, last: bool = False) -> None:
        if self._ts is not None and self._clock() - self._begun_at > PART_SECONDS:
            await self._next_part()
        while True:
            room = PART_BYTES - len(self._shown.encode())
            piece, rest = split(self._pending, room)
            self._pending = rest
            await self._send(piece, last=last)
            if not rest:
                break
            await self._next_part()
        self._not_before = max(self._not_before, self._clock() + INTERVAL)

    async def _next_part(self) -> None:
        await self._close([])
        self._ts, self._shown = None, ""

    async def _send(self, piece: str, *, last: bool) -> None:
        try:
            await (self._stream(piece) if self._streams else self._edit(piece))
        except SlackApiError as problem:
            if limited(problem) and self._ts is not None:
                self._pending = piece + self._pending
                self._not_before = self._clock() + retry_after(problem)
                if last:
                    await asyncio.sleep(retry_after(problem))
                    await self._flush(last=True)
                return
            if not self._streams:
                raise
            # Refused (a plan without it, too many at once) or ended by Slack: one edited message from here.
            log.info("stream_refused", error=code_of(problem), begun=self._ts is not None)
            self._streams = False
            await self._edit(piece)

    async def _stream(self, piece: str) -> None:
        if self._ts is not None:
            if piece:
                await self._client.chat_appendStream(
                    channel=self._place.channel, ts=self._ts, markdown_text=piece
                )
        else:
            whom: dict[str, Any] = {}
            if not self._place.is_dm:
                whom = {"recipient_user_id": self._place.user, "recipient_team_id": self._place.team_id}
            begun = await self._client.chat_startStream(
                channel=self._place.channel,
                thread_ts=self._place.thread,
                markdown_text=piece or None,
                **whom,
            )
            self._begin(text_in(begun, "ts"))
        self._shown += piece

    async def _edit(self, piece: str) -> None:
        shown = self._shown + piece
        if self._ts is None:
            posted = await self._client.chat_postMessage(
                channel=self._place.channel,
                thread_ts=self._place.thread,
                unfurl_links=False,
                unfurl_media=False,
                **_message(shown, []),
            )
            self._begin(text_in(posted, "ts"))
        elif piece:
            await self._update(shown, [])
        self._shown = shown

    async def _update(self, text: str, blocks: list[Block]) -> None:
        await self._client.chat_update(
            channel=self._place.channel, ts=str(self._ts), **_message(text, blocks)
        )

    def _begin(self, ts: str) -> None:
        self._ts = ts
        self._begun_at = self._clock()
        self.first_ts = self.first_ts or ts

    async def _close(self, blocks: list[Block]) -> None:
        if self._streams:
            try:
                await self._stop(blocks)
                return
            except SlackApiError as problem:
                log.info("stream_ended_early", error=code_of(problem))
        if blocks or self._streams:
            await self._update(self._shown, blocks)

    async def _stop(self, blocks: list[Block]) -> None:
        stop = partial(
            self._client.chat_stopStream, channel=self._place.channel, ts=str(self._ts), blocks=blocks or None
        )
        try:
            await stop()
        except SlackApiError as problem:
            if not limited(problem):
                raise
            await asyncio.sleep(retry_after(problem))
            await stop()


def _message(text: str, blocks: list[Block]) -> dict[str, Any]:
    body: list[Block] = [{"type": "markdown", "text": text or "…"}]
    return {"text": text[:EDIT_TEXT] or "…", "blocks": [*body, *blocks]}


def split(text: str, room: int) -> tuple[str, str]:
    """``text`` cut so that the first part has at most ``room`` bytes of UTF-8, at a line or word."""
    if len(text.encode()) <= room:
        return text, ""
    head = text.encode()[: max(room, 0)].decode(errors="ignore")
    for mark in ("\n", " "):
        at = head.rfind(mark)
        if at > len(head) // 2:
            return head[: at + 1], text[at + 1 :]
    return head, text[len(head) :]

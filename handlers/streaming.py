"""One answer of a model, growing in Slack: a native stream, or a message edited at most once a second.

Where so many answers grow that there is room for neither, an answer comes whole, in one message at its end.

Slack's limits behind the figures here (measured by others, not documented): a streamed message breaks at
about 11,000 bytes of text in all, and its stream is closed after about five minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answer import Block
from handlers.errors import HandlerError
from handlers.slackapi import broken, code_of, limited, retry_after, text_in
from handlers.slackclient import PacedClient
from tuning.clock import Clock

log = structlog.get_logger(__name__)

EDIT = "chat.update"
INTERVAL = 1.0
"""Seconds between two sendings of one answer; streams and edits share Slack's per-method limits."""
PART_BYTES = 9_000
PART_SECONDS = 240.0
EDIT_TEXT = 3_000
FENCE = "```"
MOST_PUT_OFF = 5
"""How often in a row a piece is put off before the answer is given up."""
UNREACHED = (aiohttp.ClientError, TimeoutError)
_STOPPED = "stopped_by_user"
_OVER = frozenset({"message_not_in_streaming_state", _STOPPED})
"""What Slack says of a stream that has ended already."""


class StoppedByPerson(HandlerError):
    """Somebody pressed Slack's own stop button: nothing more may be added to the answer."""


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

    def __init__(
        self,
        client: AsyncWebClient,
        place: Place,
        clock: Clock,
        begins: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """``begins`` is told of each message that the answer takes, as soon as Slack has it."""
        self._client = client
        self._begins = begins
        self._place = place
        self._clock = clock
        self._streams = True
        self._ts: str | None = None
        self._shown = ""
        self._pending = ""
        self._not_before = 0.0
        self._begun_at = 0.0
        self._put_off = 0
        self._foot: list[Block] = []
        self._footed = False
        self._held = False
        self.first_ts: str | None = None
        self.status_set = False

    async def add(self, text: str) -> None:
        """Takes a piece; it is shown at once or with one of the next pieces. An empty one shows what waits.

        Raises:
            StoppedByPerson: nothing more may be added.
        """
        self._pending += text
        if self._pending and self._clock() >= self._not_before:
            await self._flush()

    async def finish(self, blocks: list[Block], *, status: str = "") -> str:
        """Shows all the rest with ``blocks`` under it; answers the message the answer begins in.

        ``status``: what the session of the thread is from now on; ``status_set`` says whether that was said.
        """
        self._foot = blocks
        try:
            try:
                if self._pending or self._ts is None:
                    await self._flush(last=True)
            except StoppedByPerson:
                log.info("answer_stopped_in_slack")
            await self._close(blocks, status)
        finally:
            self._give_back()
        return self.first_ts or ""

    async def _flush(self, *, last: bool = False) -> None:
        if self._ts is not None and self._clock() - self._begun_at > PART_SECONDS:
            await self._next_part()
        if not (last or self._streams or self._may_grow()):
            self._not_before = self._clock() + INTERVAL
            return
        while True:
            room = PART_BYTES - len(self._shown.encode())
            piece, rest = split(self._pending, room)
            self._pending = rest
            await self._send(piece, last=last)
            if not rest:
                break
            await self._next_part()
        self._not_before = max(self._not_before, self._clock() + INTERVAL)

    def _may_grow(self) -> bool:
        """Whether there is room for an edit now; an answer begins only where there is room for its last."""
        if not isinstance(self._client, PacedClient):
            return True
        if self._ts is not None:
            return self._client.pace.room(EDIT, self._place.channel)
        self._held = self._held or self._client.pace.hold(EDIT, self._place.channel)
        return self._held

    def _give_back(self) -> None:
        if self._held and isinstance(self._client, PacedClient):
            self._client.pace.free(EDIT)
        self._held = False

    async def _next_part(self) -> None:
        """Closes this message; the text goes on in the next, a box of code in a box of its own."""
        opening = open_fence(self._shown)
        await self._close([])
        self._ts, self._shown = None, ""
        if opening and not self._pending.lstrip().startswith(FENCE):
            self._pending = opening + self._pending
        elif opening:  # the box ends right here
            self._pending = self._pending.lstrip().removeprefix(FENCE)

    async def _send(self, piece: str, *, last: bool) -> None:
        try:
            await (self._stream(piece) if self._streams else self._edit(piece))
        except (SlackApiError, *UNREACHED) as problem:
            if _code(problem) == _STOPPED:
                raise StoppedByPerson from problem
            if self._ts is not None and self._put_off < MOST_PUT_OFF and self._passes(problem):
                await self._later(piece, problem, last=last)
            elif self._streams:
                await self._without_stream(piece, problem, last=last)
            else:
                raise
        else:
            self._put_off = 0

    def _passes(self, problem: Exception) -> bool:
        """Whether the piece may simply come later; an edit shows all of the text, so it may be repeated."""
        if isinstance(problem, SlackApiError):
            return limited(problem) or (not self._streams and broken(problem))
        return not self._streams

    async def _later(self, piece: str, problem: Exception, *, last: bool) -> None:
        seconds = retry_after(problem) if isinstance(problem, SlackApiError) else 0.0
        self._put_off += 1
        self._pending = piece + self._pending
        self._not_before = self._clock() + (seconds or INTERVAL)
        if last:
            await asyncio.sleep(seconds or INTERVAL)
            await self._flush(last=True)

    async def _without_stream(self, piece: str, problem: Exception, *, last: bool) -> None:
        """Refused (a plan without it, too many at once) or ended by Slack: one edited message from here."""
        log.info("stream_refused", error=_code(problem), begun=self._ts is not None)
        if self._ts is not None and _code(problem) not in _OVER:
            try:  # a message that is still streamed cannot be edited
                await self._stop([])
            except (SlackApiError, *UNREACHED) as also:
                log.info("stream_not_stopped", error=_code(also))
        self._streams = False
        if last or self._ts is not None or self._may_grow():
            await self._edit(piece)
        else:
            self._pending = piece + self._pending

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
            await self._begin(text_in(begun, "ts"))
        self._shown += piece

    async def _edit(self, piece: str) -> None:
        shown = self._shown + piece
        foot = [] if self._pending else self._foot
        if self._ts is None:
            posted = await self._client.chat_postMessage(
                channel=self._place.channel,
                thread_ts=self._place.thread,
                unfurl_links=False,
                unfurl_media=False,
                **_message(shown, foot),
            )
            await self._begin(text_in(posted, "ts"))
        elif piece:
            await self._update(shown, foot)
        else:
            return
        self._shown = shown
        self._footed = bool(foot)

    async def _update(self, text: str, blocks: list[Block]) -> None:
        await self._client.chat_update(
            channel=self._place.channel, ts=str(self._ts), **_message(text, blocks)
        )

    async def _begin(self, ts: str) -> None:
        self._ts = ts
        self._begun_at = self._clock()
        self.first_ts = self.first_ts or ts
        if self._begins is not None:
            await self._begins(ts)

    async def _close(self, blocks: list[Block], status: str = "") -> None:
        if self._ts is None:
            return
        if self._streams:
            try:
                await self._stop(blocks, status)
                self.status_set = bool(status)
                return
            except (SlackApiError, *UNREACHED) as problem:
                log.info("stream_ended_early", error=_code(problem))
        if (blocks and not self._footed) or self._streams:
            await patiently(lambda: self._update(self._shown, blocks))

    async def _stop(self, blocks: list[Block], status: str = "") -> None:
        more: dict[str, Any] = {"session_status": status} if status else {}

        async def stop() -> None:
            await self._client.chat_stopStream(
                channel=self._place.channel, ts=str(self._ts), blocks=blocks or None, **more
            )

        await patiently(stop)


async def patiently(call: Callable[[], Awaitable[None]]) -> None:
    """Makes a call that must not be lost; where Slack says that it is too much at once, once more."""
    try:
        await call()
    except SlackApiError as problem:
        if not limited(problem):
            raise
        await asyncio.sleep(retry_after(problem))
        await call()


def _code(problem: Exception) -> str:
    return code_of(problem) if isinstance(problem, SlackApiError) else type(problem).__name__


def _message(text: str, blocks: list[Block]) -> dict[str, Any]:
    body: list[Block] = [{"type": "markdown", "text": text or "…"}]
    return {"text": text[:EDIT_TEXT] or "…", "blocks": [*body, *blocks]}


def open_fence(text: str) -> str:
    """The line that opened a box of code which ``text`` leaves open; empty when none is open."""
    opening = ""
    for line in text.splitlines():
        if line.lstrip().startswith(FENCE):
            opening = "" if opening else line.lstrip()[:40] + "\n"
    return opening


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

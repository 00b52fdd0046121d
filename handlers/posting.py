"""How messages reach Slack: posts with an id in their metadata, edits, pictures and reactions.

The client used here has no retry handlers: whether to try again is for delivery to decide, because only it
knows whether a message may have been posted already.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, cast

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.answer import Block, Message
from handlers.slackapi import broken, code_of, limited, part_in, retry_after, text_in
from handlers.views.drop_card import NO_REACTION
from handlers.views.job_card import plan_line
from handlers.views.layout import plain, preformatted
from tuning.pictures import Picture

log = structlog.get_logger(__name__)

EVENT_TYPE = "ftbot_notice"
BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"})
FOREVER = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "thread_not_found",
        "restricted_action",
        "restricted_action_thread_locked",
        "restricted_action_read_only_channel",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "posting_to_channel_denied",
        "cannot_reply_to_message",
        "metadata_too_large",
        "msg_too_long",
        "no_text",
    }
)
UNKNOWN = (aiohttp.ClientError, TimeoutError, SlackRequestError)
"""After these nobody knows whether Slack did it."""

PICTURE_SECONDS = 15.0
PICTURE_TRIES = 3
PICTURE_RESTS = 10
"""How often a picture waits because Slack asks for a rest, before it is left out."""
PICTURE_WAIT = 1.0
PAGES = 20


def certain(problem: Exception) -> bool:
    """Whether Slack clearly did nothing: a refusal is certain, a broken answer is not."""
    return isinstance(problem, SlackApiError) and (limited(problem) or not broken(problem))


class Desk:
    """One client and the calls that delivery makes with it."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._plans = True

    async def find(
        self, channel: str, thread: str | None, notice_id: str, since: float
    ) -> tuple[str, list[str]] | None:
        """The message that carries this notice's id, and all ids that it carries.

        Looked for among those since ``since`` in its thread or channel.
        """
        async for message in self._messages(channel, thread, since):
            if notice_id in (ids := notices_in(message)):
                return str(message["ts"]), ids
        return None

    async def _messages(
        self, channel: str, thread: str | None, since: float
    ) -> AsyncIterator[dict[str, Any]]:
        asked: dict[str, Any] = {"channel": channel, "limit": 200, "include_all_metadata": True}
        asked["oldest"] = f"{max(0.0, since):.6f}"
        for _ in range(PAGES):
            if thread is None:
                answer = await self._client.conversations_history(**asked)
            else:
                answer = await self._client.conversations_replies(ts=thread, **asked)
            for message in cast("list[dict[str, Any]]", answer.get("messages") or []):
                yield message
            cursor = text_in(part_in(answer, "response_metadata"), "next_cursor")
            if not cursor:
                return
            asked["cursor"] = cursor

    async def post(
        self, channel: str, thread: str | None, message: Message, *notices: str, broadcast: bool = False
    ) -> str:
        """Posts a message with the ids of its notices; answers where it stands."""
        place: dict[str, Any] = {"channel": channel}
        if thread is not None:
            place["thread_ts"] = thread
            if broadcast:
                place["reply_broadcast"] = True
        metadata = {
            "event_type": EVENT_TYPE,
            "event_payload": {"id": notices[0], "notices": list(notices)},
        }

        async def send(attempt: Message) -> AsyncSlackResponse:
            return await self._client.chat_postMessage(**place, **attempt.arguments(), metadata=metadata)

        return text_in(await self._as_slack_takes(message, send), "ts")

    async def edit(self, channel: str, ts: str, message: Message) -> None:
        """Edits one of our messages."""

        async def send(attempt: Message) -> AsyncSlackResponse:
            return await self._client.chat_update(channel=channel, ts=ts, **attempt.edit_arguments())

        await self._as_slack_takes(message, send)

    async def _as_slack_takes(
        self, message: Message, send: Callable[[Message], Awaitable[AsyncSlackResponse]]
    ) -> AsyncSlackResponse:
        """Sends a message as rich as this workspace takes it; that it has no plans is remembered."""
        if not self._plans:
            message = without_plans(message)
        for attempt in plainer(message):
            try:
                answer = await send(attempt)
            except SlackApiError as problem:
                if code_of(problem) not in BAD_BLOCKS or not attempt.blocks:
                    raise
                _warn(problem)
            else:
                if attempt != message and attempt == without_plans(message):
                    log.info("workspace_has_no_plans")
                    self._plans = False
                return answer
        raise AssertionError("a message without blocks ends the loop")

    async def upload(self, picture: Picture) -> Block | None:
        """Uploads a picture that nobody sees yet; answers the block to post it with, or ``None``.

        What may pass is tried again: an upload that nobody sees may be made twice.
        """
        file_id, broke, rested = None, 0, 0
        while broke < PICTURE_TRIES and rested < PICTURE_RESTS:
            try:
                file_id = await self._uploaded(picture)
                break
            except (SlackApiError, *UNKNOWN) as problem:
                refused = problem if isinstance(problem, SlackApiError) else None
                words = code_of(refused) if refused else type(problem).__name__
                log.warning("picture_not_uploaded", error=words, broke=broke, rested=rested)
                if refused and limited(refused):
                    rested += 1
                    await asyncio.sleep(retry_after(refused))
                elif refused and not broken(refused):
                    return None
                else:
                    broke += 1
                    await asyncio.sleep(PICTURE_WAIT)
        if file_id is None:
            return None
        return {
            "type": "image",
            "slack_file": {"id": file_id},
            "alt_text": picture.alt[:2000] or picture.title,
            "title": plain(picture.title, 200),
        }

    async def _uploaded(self, picture: Picture) -> str | None:
        answer = await self._client.files_upload_v2(
            filename="loss.png", content=picture.png, title=picture.title, alt_txt=picture.alt
        )
        file_id = text_in(part_in(answer, "file"), "id")
        if await self._processed(file_id):
            return file_id
        log.warning("picture_not_processed", file=file_id)
        return None

    async def _processed(self, file_id: str) -> bool:
        """Waits until Slack knows what the file is: before that, an image block with it is refused."""
        until = asyncio.get_running_loop().time() + PICTURE_SECONDS
        while asyncio.get_running_loop().time() < until:
            file = part_in(await self._client.files_info(file=file_id), "file")
            if str(file.get("mimetype") or "").startswith("image/"):
                return True
            await asyncio.sleep(0.5)
        return False

    async def react(self, channel: str, ts: str, add: str, remove: str | None) -> None:
        """Changes our reaction on a message; one that is there already, or gone, is fine."""
        if add != NO_REACTION:
            await self._reaction("add", channel, ts, add)
        if remove is not None and remove not in (add, NO_REACTION):
            await self._reaction("remove", channel, ts, remove)

    async def _reaction(self, what: str, channel: str, ts: str, name: str) -> None:
        try:
            if what == "add":
                await self._client.reactions_add(channel=channel, timestamp=ts, name=name)
            else:
                await self._client.reactions_remove(channel=channel, timestamp=ts, name=name)
        except SlackApiError as problem:
            if limited(problem) or broken(problem):
                raise
            if code_of(problem) not in ("already_reacted", "no_reaction"):
                log.info("no_reaction", error=code_of(problem))


def notices_in(message: Mapping[str, Any]) -> list[str]:
    """Ids of the notices that a message of ours carries, in their order."""
    metadata = cast("dict[str, Any]", message.get("metadata") or {})
    payload = cast("dict[str, Any]", metadata.get("event_payload") or {})
    several: Any = payload.get("notices") or [payload.get("id")]
    return [str(one) for one in cast("list[Any]", several) if one] if isinstance(several, list) else []


def plainer(message: Message) -> list[Message]:
    """The message, then without what an older workspace may not have (plans first), then as words alone."""
    ways = [message]
    if message.blocks:
        simple = [_simple(block) for block in message.blocks]
        kept = [block for block in simple if block is not None]
        for way in (without_plans(message), Message(message.text, kept), Message(message.text, [])):
            if way not in ways:
                ways.append(way)
    return ways


def without_plans(message: Message) -> Message:
    """The message with each plan as a line of text."""
    blocks = [plan_line(block) if block["type"] == "plan" else block for block in message.blocks]
    return Message(message.text, blocks)


def _simple(block: Block) -> Block | None:
    match block["type"]:
        case "plan":
            return plan_line(block)
        case "table":
            rows = cast("list[list[dict[str, Any]]]", block["rows"])
            return preformatted(
                "\n".join("  ".join(str(cell.get("text", "")) for cell in row) for row in rows)
            )
        case "image" | "context_actions":
            return None
        case _:
            return block


def _warn(problem: SlackApiError) -> None:
    said = part_in(problem.response, "response_metadata").get("messages")
    log.warning("blocks_refused", error=code_of(problem), said=said)

"""What people see while there is no answer yet: a status, and Slack's own stop button where it has one."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from handlers import reply
from handlers.answer import Message
from handlers.house import House
from handlers.incoming import Incoming
from handlers.slackapi import code_of
from handlers.slackclient import PacedClient
from handlers.text import esc, name
from storage.chat_records import ChatThread

log = structlog.get_logger(__name__)

SET = "agents.sessions.setStatus"
_NEVER_HERE = frozenset(
    {"feature_disabled", "unknown_method", "missing_scope", "not_allowed_token_type", "not_agent_app"}
)
"""What Slack says where there are no sessions for this app at all."""
_AWAY = (aiohttp.ClientError, TimeoutError)


class Session:
    """The time in which one question is answered; nothing here holds the answer up."""

    def __init__(self, house: House, said: Incoming, thread: ChatThread) -> None:
        self._house = house
        self._said = said
        self._thread = thread
        self._label = name(thread.label, 60)
        self._begun: asyncio.Task[None] | None = None
        self._told = False
        self._processing = False
        self._held = False

    def begin(self) -> None:
        """Shows that the question is being answered, beside the answering."""
        self._begun = asyncio.create_task(self._begin())

    async def waiting(self) -> None:
        """A word that the model is still being loaded: as the status, else once to the person alone.

        Slack takes a status away after two minutes; it is shown anew before every try.
        """
        words = f"{self._label} is new and still being loaded: I wait for it…"
        if await self._show(words) or self._told:
            return
        self._told = True
        await reply.tell(self._house, self._said, Message(esc(words)))

    def ending(self) -> str:
        """The status to be set with the end of the answer's stream; empty when there is none to set."""
        return "active" if self._processing else ""

    async def end(self, *, done: bool) -> None:
        """Takes the stop button away again; ``done``: the end of the stream did."""
        if self._begun is not None and not self._begun.done():  # the answer was there before its status
            self._begun.cancel()
        if self._begun is not None:
            await asyncio.gather(self._begun, return_exceptions=True)
        if self._processing and not done:
            await self._set("active")
        self._give_back()

    def _hold(self) -> bool:
        """Whether there is room for both ends of a session; its stop button must not stay for want of it."""
        client = self._house.client
        if not isinstance(client, PacedClient):
            return True
        self._held = client.pace.hold(SET, None) and client.pace.room(SET, None)
        return self._held

    def _give_back(self) -> None:
        client = self._house.client
        if self._held and isinstance(client, PacedClient):
            client.pace.free(SET)
        self._held = False

    async def _begin(self) -> None:
        if self._house.talks.sessions and self._hold():
            self._processing = True  # from here on it may be so: the call can be broken off
            self._processing = await self._set("processing")
        await self._show(f"{self._label} is thinking…")

    async def _show(self, status: str) -> bool:
        try:
            await self._house.client.assistant_threads_setStatus(
                channel_id=self._thread.channel, thread_ts=self._thread.thread, status=status
            )
        except SlackApiError as problem:
            log.debug("no_status", error=code_of(problem))
            return False
        except _AWAY:
            return False
        return True

    async def _set(self, status: str) -> bool:
        """Whether the session of this thread has the status; a workspace without sessions is asked once."""
        with suppress(*_AWAY):
            try:
                await self._house.client.agents_sessions_setStatus(
                    channel_id=self._thread.channel, thread_ts=self._thread.thread, status=status
                )
            except SlackApiError as problem:
                log.debug("no_session", error=code_of(problem))
                self._house.talks.sessions = code_of(problem) not in _NEVER_HERE
                return False
            return True
        return False

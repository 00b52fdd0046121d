"""What a person may see outside of a channel: in direct messages and Home, the channels they are in.

In a channel, only what belongs to it is seen. Outside, a job, dataset or model is known to the members of its
channel, and there to nobody else; whoever leaves a private channel no longer sees it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slackapi import broken, code_of, limited, part_in, text_in

if TYPE_CHECKING:
    from handlers.house import House

log = structlog.get_logger(__name__)

KEPT_SECONDS = 60.0
"""How long the channels of a person are taken for true."""
KEPT = 2_000
PAGE = 999
MOST_PAGES = 10


class Rooms:
    """The channels that a person and the bot are both in, remembered for a minute."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[float, Mapping[str, str] | None]] = OrderedDict()
        self._shut: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    async def of(self, client: AsyncWebClient, user: str) -> Mapping[str, str] | None:
        """Their names by id; ``None`` when Slack does not say (an installation without the scopes for it).

        Raises:
            SlackApiError, ClientError, TimeoutError: Slack cannot say just now; ask again a moment later.
        """
        known = self._known.get(user)
        if known is None or time.monotonic() - known[0] > KEPT_SECONDS:
            known = (time.monotonic(), await _ask(client, user))
            self._known[user] = known
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return known[1]

    async def shut(self, client: AsyncWebClient, channel: str) -> bool:
        """Whether only those who are in a channel see it; so it is where Slack does not know it (for us).

        Raises:
            SlackApiError, ClientError, TimeoutError: as :meth:`of`.
        """
        known = self._shut.get(channel)
        if known is None or time.monotonic() - known[0] > KEPT_SECONDS:
            known = (time.monotonic(), await _is_shut(client, channel))
            self._shut[channel] = known
            while len(self._shut) > KEPT:
                self._shut.popitem(last=False)
        return known[1]

    def forget(self, user: str) -> None:
        """Somebody joined or left a channel."""
        self._known.pop(user, None)


async def _ask(client: AsyncWebClient, user: str) -> Mapping[str, str] | None:
    found: dict[str, str] = {}
    cursor = ""
    for _ in range(MOST_PAGES):
        try:
            page: Any = await client.users_conversations(
                user=user,
                types="public_channel,private_channel",
                exclude_archived=False,
                limit=PAGE,
                cursor=cursor or None,
            )
        except SlackApiError as problem:
            if limited(problem) or broken(problem):
                raise
            log.warning("channels_not_known", error=code_of(problem))
            return None
        for one in cast("list[dict[str, Any]]", page.get("channels") or []):
            found[str(one["id"])] = str(one.get("name") or one["id"])
        cursor = text_in(part_in(page, "response_metadata"), "next_cursor")
        if not cursor:
            break
    return found


async def _is_shut(client: AsyncWebClient, channel: str) -> bool:
    try:
        info = part_in(await client.conversations_info(channel=channel), "channel")
    except SlackApiError as problem:
        if limited(problem) or broken(problem):
            raise
        log.warning("channel_not_known", error=code_of(problem))
        return True
    return bool(info.get("is_private")) and not info.get("is_mpim")


async def channels_for(house: House, user: str, *, is_dm: bool) -> frozenset[str]:
    """The channels whose jobs and models a person is shown beside those of the place they are in.

    None in a channel, nor where Slack does not say who is in which.
    """
    if not is_dm:
        return frozenset()
    return frozenset(await house.rooms.of(house.client, user) or ())


async def sees(house: House, user: str, channel: str, *, here: str, is_dm: bool) -> bool:
    """Whether what belongs to ``channel`` may be shown to a person who is ``here`` (empty: in Home)."""
    return channel == here or channel in await channels_for(house, user, is_dm=is_dm or not here)


async def still_in(house: House, user: str, channel: str) -> bool:
    """Whether a person may still use a form that was opened in ``channel``: they may have left it since.

    Slack itself sees to it for messages, a form stays open. Public channels are open to everybody; nobody
    leaves direct messages. Where Slack does not say who is in which, nobody is refused.
    """
    if not channel or channel.startswith("D") or not await house.rooms.shut(house.client, channel):
        return True
    rooms = await house.rooms.of(house.client, user)
    return rooms is None or channel in rooms

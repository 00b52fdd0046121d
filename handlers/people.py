"""Who may use ftbot: members of this workspace. Guests and people of other workspaces may not, by default."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from handlers.house import House
from handlers.incoming import Incoming
from handlers.slackapi import broken, code_of, limited, part_in

log = structlog.get_logger(__name__)

KEPT_SECONDS = 600.0
KEPT = 5_000
REFUSAL = (
    "I work for the members of this workspace. Guests and people of other workspaces cannot use me here."
)


class People:
    """Looks up who somebody is and remembers it for ten minutes."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: OrderedDict[str, tuple[float, bool]] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}

    async def refused(self, said: Incoming) -> bool:
        """Whether this person may not use ftbot; nobody that cannot be told is let in.

        Raises:
            SlackApiError: Slack cannot say just now; the same question may be answered a moment later.
        """
        if said.team and said.team != self._house.team_id:
            return True
        known = self._fresh(said.user)
        return await self._ask(said.user) if known is None else known

    def _fresh(self, user: str) -> bool | None:
        known = self._known.get(user)
        return None if known is None or time.monotonic() - known[0] > KEPT_SECONDS else known[1]

    async def _ask(self, user: str) -> bool:
        """Asks Slack once for all things of a person that wait for the answer."""
        lock = self._asking.setdefault(user, asyncio.Lock())
        try:
            async with lock:
                known = self._fresh(user)
                if known is None:
                    known = await self._outside(user)
                    self._known[user] = (time.monotonic(), known)
                    while len(self._known) > KEPT:
                        self._known.popitem(last=False)
                return known
        finally:
            self._asking.pop(user, None)

    async def _outside(self, user: str) -> bool:
        try:
            person = part_in(await self._house.client.users_info(user=user), "user")
        except SlackApiError as problem:
            if limited(problem) or broken(problem):
                raise
            log.warning("person_not_known", error=code_of(problem))
            return True
        guest = any(person.get(mark) for mark in ("is_restricted", "is_ultra_restricted"))
        if person.get("is_stranger") or (guest and not self._house.guests):
            return True
        return str(person.get("team_id") or self._house.team_id) != self._house.team_id


async def name_of(house: House, user: str) -> str:
    """How a person is called in this workspace; *somebody* when Slack does not say."""
    if not user:
        return "somebody"
    try:
        person = part_in(await house.client.users_info(user=user), "user")
    except (SlackApiError, aiohttp.ClientError, TimeoutError) as problem:
        log.info("name_not_known", problem=type(problem).__name__)
        return "somebody"
    shown = part_in(person, "profile").get("display_name") or person.get("real_name") or person.get("name")
    return str(shown or "somebody")

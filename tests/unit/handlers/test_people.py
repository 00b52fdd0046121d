"""Only members of this workspace are served; guests and strangers are refused by default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.house import House
from handlers.incoming import Incoming
from handlers.people import People


@dataclass
class Slack:
    """Knows people; ``error`` is what it says instead."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict[str, Any])
    error: str = ""
    asked: int = 0

    async def users_info(self, user: str) -> dict[str, Any]:
        self.asked += 1
        if self.error:
            answer = AsyncSlackResponse(
                client=cast(Any, None), http_verb="GET", api_url="", req_args={}, headers={},
                data={"ok": False, "error": self.error}, status_code=200,
            )  # fmt: skip
            raise SlackApiError("no", answer)
        return {"ok": True, "user": self.people[user]}


@dataclass
class Here:
    """As much of a house as is needed."""

    client: Slack
    team_id: str = "T1"
    guests: bool = False


def people(slack: Slack, **more: Any) -> People:
    return People(cast(House, Here(slack, **more)))


def by(user: str, **more: Any) -> Incoming:
    return Incoming(kind="message", user=user, **more)


MEMBERS = {
    "member": {"team_id": "T1"},
    "guest": {"team_id": "T1", "is_restricted": True},
    "single channel guest": {"team_id": "T1", "is_ultra_restricted": True},
    "stranger": {"team_id": "T2", "is_stranger": True},
    "other workspace": {"team_id": "T2"},
}


@pytest.mark.parametrize("who", list(MEMBERS))
async def test_members_are_served_and_nobody_else(who: str) -> None:
    assert await people(Slack(MEMBERS)).refused(by(who)) is (who != "member")


async def test_a_person_whose_team_the_payload_names_needs_no_question() -> None:
    slack = Slack(MEMBERS)
    assert await people(slack).refused(by("member", team="T2"))
    assert slack.asked == 0


async def test_guests_can_be_let_in_and_strangers_never() -> None:
    let_in = people(Slack(MEMBERS), guests=True)
    assert not await let_in.refused(by("guest", team="T1"))
    assert await let_in.refused(by("stranger", team="T2"))
    assert await let_in.refused(by("stranger"))  # a slash command does not say where a person comes from


async def test_a_person_is_looked_up_once() -> None:
    slack = Slack(MEMBERS)
    known = people(slack)
    for _ in range(3):
        await known.refused(by("member"))
    assert slack.asked == 1


async def test_nobody_is_let_in_whom_slack_does_not_know() -> None:
    assert await people(Slack(error="user_not_found")).refused(by("member"))


async def test_when_slack_cannot_say_just_now_it_is_asked_again() -> None:
    with pytest.raises(SlackApiError):
        await people(Slack(error="ratelimited")).refused(by("member"))

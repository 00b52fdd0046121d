"""Only members of this workspace are served; guests and strangers are refused by default."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers import reply
from handlers.house import House
from handlers.incoming import Incoming, Kind
from handlers.people import REFUSAL, People
from handlers.worker import Worker
from storage import inbox
from storage.records import InboxItem
from storage.store import Store
from tests.support.waiting import until


@dataclass
class Slack:
    """Knows people; ``error`` is what it says instead."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict[str, Any])
    error: str = ""
    asked: int = 0

    async def users_info(self, user: str) -> dict[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)
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


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_nothing_is_done_for_somebody_who_is_turned_away_whatever_they_do(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def tell(house: Any, to: Incoming, message: Any) -> None:
        told.append(message.text)

    async def never(*_: Any) -> None:
        raise AssertionError("somebody was served who may not be")

    monkeypatch.setattr(reply, "tell", tell)
    store = Store(tmp_path / "ftbot.db")
    parts = {"store": store, "command": "/ft", "client": Slack(MEMBERS), "team_id": "T1", "guests": False}
    house = cast(House, SimpleNamespace(**parts))
    worker = Worker(house, People(house))
    worker.serve({kind: never})
    said = Incoming(kind, "stranger", "C1", "1.1", text="what I think", mentioned=kind == "message")
    item = InboxItem(0, "k", None, kind, said.payload(), 1.0)
    number = await store.write(lambda db: inbox.put(db, item))
    working = asyncio.create_task(worker.run())

    async def done() -> InboxItem | None:
        found = await store.read(lambda db: inbox.get(db, number))
        return found if found is not None and found.state != "new" else None

    kept = await until(done)
    await worker.close()
    await working
    await store.close()
    assert (kept.state, kept.payload) == ("done", {})
    asked = kind in ("message", "command", "action", "submission", "about")
    assert told == ([REFUSAL] if asked else [])


async def test_a_burst_of_one_person_asks_slack_once() -> None:
    """Slack says who somebody is some sixty times a minute, for all people together."""
    slack = Slack({"U1": {"team_id": "T1"}})
    known = people(slack)
    assert await asyncio.gather(*(known.refused(by("U1")) for _ in range(50))) == [False] * 50
    assert slack.asked == 1
    assert not known._asking

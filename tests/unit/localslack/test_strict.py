"""What Slack refuses and sends, method by method: scopes, tiers, and the events of edits and reactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localslack.errors import RateLimited
from localslack.webapi.limits import POST_BURST, TIERS, RateLimits
from localslack.webapi.registry import METHODS
from tests.unit.localslack.conftest import EVENTS, SCOPES, Workspace, workspace

# Slack's reference of each method, written down apart from the table that the server uses.
REFERENCE = {
    "special": "assistant.threads.setStatus auth.test chat.getPermalink chat.postMessage",
    "t4": "chat.appendStream chat.postEphemeral files.completeUploadExternal files.getUploadURLExternal"
    " files.info views.open views.publish views.push views.update users.info conversations.members"
    " assistant.threads.setTitle assistant.threads.setSuggestedPrompts",
    "t3": "chat.update chat.delete conversations.info conversations.open conversations.join"
    " conversations.history conversations.replies users.conversations reactions.add files.delete"
    " agents.sessions.setStatus"
    " agents.sessions.rename apps.connections.open team.info",
    "t2": "chat.startStream chat.stopStream conversations.list users.list reactions.remove",
}
LEAST = {"t2": 20, "t3": 50, "t4": 100, "special": 600}


@pytest.mark.parametrize("tier", sorted(REFERENCE))
def test_each_method_stands_in_the_tier_of_slacks_reference(tier: str) -> None:
    assert {name: METHODS[name].tier for name in REFERENCE[tier].split()} == dict.fromkeys(
        REFERENCE[tier].split(), tier
    )


@pytest.mark.parametrize("tier", sorted(TIERS))
def test_a_tier_lets_its_calls_through_refuses_the_next_and_forgives_after_a_minute(tier: str) -> None:
    now = [1000.0]
    limits = RateLimits(lambda: now[0])
    assert LEAST[tier] <= TIERS[tier] <= LEAST[tier] * 1.2
    for _ in range(TIERS[tier]):
        limits.check("some.method", tier)
    limits.check("another.method", tier)
    now[0] += 20
    with pytest.raises(RateLimited) as refused:
        limits.check("some.method", tier)
    assert refused.value.retry_after == 40
    now[0] += 41
    limits.check("some.method", tier)


def test_a_channel_takes_a_burst_then_one_message_a_second() -> None:
    now = [1000.0]
    limits = RateLimits(lambda: now[0])
    for _ in range(POST_BURST):
        limits.check_post("C1")
    with pytest.raises(RateLimited) as refused:
        limits.check_post("C1")
    assert refused.value.retry_after == 1
    limits.check_post("C2")
    now[0] += 1
    limits.check_post("C1")


async def test_every_method_refuses_an_app_without_its_scope_and_names_it(tmp_path: Path) -> None:
    async with workspace(tmp_path, scopes=[]) as ws:
        for name, method in METHODS.items():
            token = ws.world.me.app_token if method.caller == "app" else ws.world.me.bot_token
            headers = {"Authorization": f"Bearer {token}"}
            address = f"{ws.world.base_url}/api/{name}"
            async with ws.session.post(address, json={}, headers=headers) as got:
                answer = await got.json()
            if method.scopes:
                assert (answer["error"], answer["needed"]) == ("missing_scope", ",".join(method.scopes)), name
            else:
                assert answer.get("error") != "missing_scope", name


async def test_an_edit_tells_what_stood_there_before_and_a_deletion_what_is_gone(ws: Workspace) -> None:
    message = await ws.jin.say("general", "one")
    path = f"/channels/general/messages/{message['ts']}"
    await ws.jin.ask("PATCH", path, {"text": "two"})
    await ws.jin.ask("DELETE", path)
    edited, deleted = [p["event"] for p in (await ws.jin.events("message"))[-2:]]
    assert edited["subtype"] == "message_changed"
    assert (edited["previous_message"]["text"], edited["message"]["text"]) == ("one", "two")
    assert edited["message"]["ts"] == message["ts"] != edited["ts"]
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", message["ts"])
    assert deleted["previous_message"]["text"] == "two"


async def test_reactions_of_people_come_as_events_when_they_are_asked_for(tmp_path: Path) -> None:
    async with workspace(tmp_path, scopes=SCOPES, events=[*EVENTS, "reaction_removed"]) as ws:
        message = await ws.jin.say("general", "well done")
        body: dict[str, Any] = {"channel": "general", "ts": message["ts"], "name": "tada"}
        await ws.mina.post("/reactions", body)
        await ws.mina.ask("DELETE", "/reactions", body)
        for kind in ("reaction_added", "reaction_removed"):
            (told,) = [payload["event"] for payload in await ws.jin.events(kind)]
            assert (told["user"], told["reaction"]) == (ws.user("mina"), "tada")
            assert told["item"] == {"type": "message", "channel": ws.channel("general"), "ts": message["ts"]}
            assert told["item_user"] == ws.user("jin")

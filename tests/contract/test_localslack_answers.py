"""localslack answers with the keys and types of Slack: good calls, wrong calls, and what reaches the app."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.localslack_client import EVERY_SCOPE, Slack
from tests.contract.slack_spec import ESSENTIAL, problems, templates

Json = dict[str, Any]
MODAL: Json = {
    "type": "modal",
    "callback_id": "contract",
    "title": {"type": "plain_text", "text": "Title"},
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}],
}
HOME: Json = {"type": "home", "blocks": MODAL["blocks"]}
BLOCKS: list[Json] = [
    {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "*hello*"}},
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}],
    },
]


@pytest.fixture(scope="module")
def answers(slack: Slack) -> dict[str, Json]:
    """One good answer of every method that localslack has and whose answers are recorded."""
    state = slack.ui("GET", "state")
    channel, jin = slack.channel("tuning"), state["me"]["id"]
    found: dict[str, Json] = {}

    def call(method: str, **arguments: Any) -> Json:
        found[method] = slack.api(method, **arguments)
        return found[method]

    team = call("auth.test")["team_id"]
    found["apps.connections.open"] = slack.api("apps.connections.open", token=slack.app_token)
    posted = call(
        "chat.postMessage",
        channel=channel,
        text="hello",
        blocks=BLOCKS,
        metadata={"event_type": "notice", "event_payload": {"id": "n1"}},
    )
    ts = posted["ts"]
    call("chat.update", channel=channel, ts=ts, text="hello again", blocks=BLOCKS)
    call("chat.getPermalink", channel=channel, message_ts=ts)
    call("chat.postEphemeral", channel=channel, user=jin, text="psst")
    call("reactions.add", channel=channel, timestamp=ts, name="eyes")
    call("reactions.get", channel=channel, timestamp=ts)
    call("reactions.remove", channel=channel, timestamp=ts, name="eyes")
    stream = call(
        "chat.startStream", channel=channel, thread_ts=ts, recipient_user_id=jin, recipient_team_id=team
    )
    call("chat.appendStream", channel=channel, ts=stream["ts"], markdown_text="**hi**")
    call("chat.stopStream", channel=channel, ts=stream["ts"])
    call("assistant.threads.setStatus", channel_id=channel, thread_ts=ts, status="is thinking")
    ticket = call("files.getUploadURLExternal", filename="report.csv", length=4)
    slack.http.post(ticket["upload_url"], content=b"a,b\n")
    call("files.completeUploadExternal", files=[{"id": ticket["file_id"]}], channel_id=channel, thread_ts=ts)
    call("files.info", file=ticket["file_id"])
    call("files.list", channel=channel)
    call("conversations.replies", channel=channel, ts=ts, include_all_metadata=True)
    call("conversations.history", channel=channel)
    call("conversations.info", channel=channel)
    call("conversations.members", channel=channel)
    call("conversations.list")
    call("conversations.open", users=jin)
    call("users.conversations")
    call("users.info", user=jin)
    call("users.list")
    call("team.info")
    call("bots.info", bot=found["auth.test"]["bot_id"])
    trigger = slack.envelope_of("commands", channel=channel, text="/ft start")["payload"]["trigger_id"]
    view = call("views.open", trigger_id=trigger, view=MODAL)["view"]
    call("views.update", view_id=view["id"], hash=view["hash"], view=MODAL)
    call("views.publish", user_id=jin, view=HOME)
    call("files.delete", file=ticket["file_id"])
    call("chat.delete", channel=channel, ts=stream["ts"])
    return found


RECORDED = sorted(
    set(ESSENTIAL) - {"views.push"} | {"bots.info", "reactions.add", "reactions.get", "reactions.remove"}
)


@pytest.mark.parametrize("method", RECORDED)
def test_a_good_answer_has_slacks_keys_and_types(answers: dict[str, Json], method: str) -> None:
    answer = answers[method]
    assert answer["ok"] is True, answer
    assert problems(method, answer) == []


def test_a_thread_gives_back_the_metadata_that_was_posted(answers: dict[str, Json]) -> None:
    root = answers["conversations.replies"]["messages"][0]
    assert root["metadata"] == {"event_type": "notice", "event_payload": {"id": "n1"}}


WRONG: list[tuple[str, Json, str]] = [
    ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": "C00000000", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "#random", "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": "#tuning"}, "no_text"),
    ("chat.postMessage", {"channel": "#tuning", "text": "x", "colour": "red"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": "#tuning", "blocks": [{"type": "section"}]}, "invalid_blocks"),
    ("chat.update", {"channel": "#tuning", "ts": "1.0", "text": "x"}, "message_not_found"),
    ("chat.startStream", {"channel": "#tuning", "thread_ts": "1.0"}, "missing_recipient_user_id"),
    ("views.open", {"trigger_id": "1.2.3", "view": MODAL}, "invalid_trigger_id"),
    ("views.open", {"trigger_id": "1.2.3", "view": {**MODAL, "colour": "red"}}, "invalid_arguments"),
    ("files.info", {"file": "F00000000"}, "file_not_found"),
    ("files.getUploadURLExternal", {"filename": "a", "length": 0}, "invalid_arguments"),
    ("users.info", {"user": "U00000000"}, "user_not_found"),
    ("reactions.add", {"channel": "#tuning", "timestamp": "1.0", "name": "eyes"}, "message_not_found"),
]


@pytest.mark.parametrize(("method", "arguments", "error"), WRONG)
def test_a_wrong_call_gets_slacks_own_error(slack: Slack, method: str, arguments: Json, error: str) -> None:
    given = dict(arguments)
    if str(given.get("channel", "")).startswith("#"):
        given["channel"] = slack.channel(given["channel"][1:])
    answer = slack.api(method, **given)
    assert answer["ok"] is False
    assert answer["error"] == error, answer
    assert problems(method, answer) == []


def test_an_edit_takes_at_most_4000_characters(slack: Slack) -> None:
    channel = slack.channel("tuning")
    ts = slack.api("chat.postMessage", channel=channel, text="x")["ts"]
    assert slack.api("chat.update", channel=channel, ts=ts, text="x" * 4000)["ok"] is True
    assert slack.api("chat.update", channel=channel, ts=ts, text="x" * 4001)["error"] == "msg_too_long"


def test_a_wrong_token_is_refused(slack: Slack) -> None:
    assert slack.api("auth.test", token="xoxb-wrong") == {"ok": False, "error": "invalid_auth"}


def test_a_slash_command_reaches_the_app_with_slacks_keys(slack: Slack) -> None:
    envelope = slack.envelope_of("commands", channel=slack.channel("tuning"), text="/ft jobs all")
    assert envelope["type"] == "slash_commands"
    payload = envelope["payload"]
    assert set(payload) >= {
        *("command", "text", "user_id", "user_name", "team_id", "team_domain", "channel_id", "channel_name"),
        *("api_app_id", "trigger_id", "response_url", "is_enterprise_install"),
    }
    assert (payload["command"], payload["text"]) == ("/ft", "jobs all")
    assert "thread_ts" not in payload


def test_a_bad_download_is_a_page_with_status_200(slack: Slack) -> None:
    answer = slack.api("files.getUploadURLExternal", filename="x.csv", length=2)
    slack.http.post(answer["upload_url"], content=b"a\n")
    slack.api("files.completeUploadExternal", files=[{"id": answer["file_id"]}])
    url = slack.api("files.info", file=answer["file_id"])["file"]["url_private_download"]
    good = slack.http.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"})
    assert good.content == b"a\n"
    bad = slack.http.get(url, headers={"Authorization": "Bearer xoxb-wrong"})
    assert bad.status_code == 200
    assert bad.headers["content-type"].startswith("text/html")


def test_the_scopes_of_this_test_are_scopes_that_localslack_knows(slack: Slack) -> None:
    """A typo in the list above would hide a missing_scope."""
    assert len(EVERY_SCOPE) == len(set(EVERY_SCOPE))
    assert set(RECORDED) <= set(templates())

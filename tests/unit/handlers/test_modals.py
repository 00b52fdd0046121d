"""The form that starts a job, over real sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers import modals, preparing
from handlers.incoming import Incoming
from handlers.views import start_form
from tests.support.surfaces import surfaces
from tests.support.waiting import until
from tuning.errors import StartRefused, Unreachable
from tuning.jobs.start import StartRequest

FORM = Incoming("submission", "U1", "C1", view={"id": "V1", "callback_id": start_form.CALLBACK})


def wish(channel="C1", **changes):
    given: dict[str, Any] = {
        "intent": "V1",
        "dataset_id": 1,
        "validation_id": None,
        "provider": "trainer",
        "base": "tiny",
        "suffix": "triage",
        "epochs": None,
        "batch_size": None,
        "learning_rate_multiplier": None,
        "seed": None,
        "channel": channel,
        "owner": "U1",
    }
    return StartRequest(**{**given, **changes})


@pytest.fixture
async def slack(tmp_path, monkeypatch):
    async with surfaces(tmp_path) as found:
        monkeypatch.setattr(start_form, "parse", lambda view, user: wish(found.channel("tuning")))
        yield found


async def test_numbers_out_of_range_are_marked_at_their_field(slack, monkeypatch):
    monkeypatch.setattr(start_form, "parse", lambda view, user: wish(epochs=999))
    errors = await modals.errors_in(slack.house, FORM)
    assert list(errors) == ["more_epochs"]


async def test_data_that_is_gone_is_marked_at_its_field(slack):
    errors = await modals.errors_in(slack.house, FORM)
    assert list(errors) == ["dataset"]
    assert "Drop it again" in errors["dataset"]


async def test_other_forms_are_let_through(slack):
    other = Incoming("submission", "U1", "C1", view={"id": "V1", "callback_id": "other"})
    assert await modals.errors_in(slack.house, other) == {}


async def submit(slack):
    """Opens the form by a command (so that Slack gives a trigger) and submits it."""
    room = slack.channel("tuning")
    opened = {}

    async def dispatch(call, house):
        view = {
            "type": "modal",
            "callback_id": start_form.CALLBACK,
            "private_metadata": json.dumps({"channel": room}),
            "title": {"type": "plain_text", "text": "Train a model"},
            "submit": {"type": "plain_text", "text": "Start"},
            "blocks": [
                {
                    "type": "input",
                    "block_id": "name",
                    "optional": True,
                    "label": {"type": "plain_text", "text": "Name"},
                    "element": {"type": "plain_text_input", "action_id": "name"},
                }
            ],
        }
        opened["view"] = (await house.client.views_open(trigger_id=call.trigger_id, view=view))["view"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("handlers.commands.dispatch", dispatch)
        await slack.jin.command(room, "/ft start")
        await until(lambda: opened)
    return room, await slack.jin.ask("POST", f"/views/{opened['view']['id']}/submit", {"values": {}})


async def test_wrong_values_keep_the_form_open_with_the_errors(slack, monkeypatch):
    monkeypatch.setattr(start_form, "parse", lambda view, user: {"name": "Give it a name."})
    _, answer = await submit(slack)
    assert (answer["error"], answer["errors"]) == ("invalid", {"name": "Give it a name."})
    assert slack.engine.started == []


@pytest.fixture
def data_is_fine(monkeypatch):
    monkeypatch.setattr(preparing, "check_datasets", lambda db, request, base: (None, None))
    monkeypatch.setattr(preparing, "check_method", lambda request, training, held_out: None)
    monkeypatch.setattr(preparing, "held", lambda db, dataset: False)
    monkeypatch.setattr(preparing.datasets, "get", lambda db, dataset_id: None)


async def test_a_good_form_closes_and_starts_one_job(slack, data_is_fine):
    room, answer = await submit(slack)
    assert answer["closed"]
    await until(lambda: slack.engine.started)
    await slack.settled()
    assert [r.channel for r in slack.engine.started] == [room]
    assert not [m for m in await slack.jin.messages(room) if m.get("ephemeral")]


@pytest.mark.parametrize(
    "problem",
    [StartRefused("base", "This base was shut down."), Unreachable("network", None, "No answer from it.")],
)
async def test_what_only_the_provider_knows_is_said_afterwards_in_the_channel(
    slack, data_is_fine, monkeypatch, problem
):
    monkeypatch.setattr("handlers.worker.WAITS", (0.0, 0.0))
    slack.engine.refuse = problem
    room, answer = await submit(slack)
    assert answer["closed"]

    async def told():
        return [m["text"] for m in await slack.jin.messages(room) if m.get("ephemeral")]

    (text,) = await until(told)
    assert str(problem) in text

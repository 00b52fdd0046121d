"""Caps on money and tokens, and one job for one form: the real engine and chat behind real surfaces."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from handlers import modals
from handlers.incoming import Incoming
from handlers.verbs import start
from handlers.views import start_form
from localslack.blocks import check_view
from storage import chats, datasets, jobs, rooms
from storage.chat_records import ChannelModel
from storage.records import Dataset, InboxItem
from tests.support.provider import BASE
from tests.support.samples import NOW as CREATED
from tests.support.samples import a_job
from tests.support.surfaces import Surfaces
from tests.support.waiting import until
from tests.support.whole import NOW, dropped, place
from tuning.chat.spending import month_of

ITEM = cast(InboxItem, None)


def form(slack: Surfaces, dataset: Dataset) -> Incoming:
    """The form as Slack sends it when it is submitted."""
    chosen = {"dataset": str(dataset.id), "validation": "none", "base": f"openai|{BASE}"}
    values: dict[str, Any] = {b: {b: {"selected_option": {"value": v}}} for b, v in chosen.items()}
    values |= {"name": {"name": {"value": "triage"}}}
    view = {
        "id": "V1",
        "callback_id": start_form.CALLBACK,
        "private_metadata": json.dumps({"channel": dataset.channel}),
        "state": {"values": values},
    }
    return Incoming("submission", slack.user("jin"), dataset.channel, view=view)


async def test_a_form_sent_several_times_starts_one_job(tmp_path: Path) -> None:
    async with place(tmp_path) as (slack, provider):
        sent = form(slack, await dropped(slack, tmp_path))
        assert await modals.errors_in(slack.house, sent) == {}
        await asyncio.gather(*(modals.on_submission(slack.house, ITEM, sent) for _ in range(4)))
        await slack.house.engine.settle()
        assert len(provider.created) == 1
        assert [j.name for j in await slack.store.read(lambda db: jobs.in_channel(db, sent.channel))] == [
            "triage-1"
        ]


async def shown(slack: Surfaces, dataset: Dataset, epochs: str = "", base: str = BASE) -> dict[str, Any]:
    """The form as it is shown after these choices."""
    sent = form(slack, dataset).view
    state = {
        "base": {"base": {"selected_option": {"value": f"openai|{base}"}}},
        "more_epochs": {"more_epochs": {"value": epochs}},
    }
    sent["state"]["values"] |= state
    views: list[dict[str, Any]] = []

    class Page:
        async def views_update(self, view_id: str, view: dict[str, Any]) -> None:
            views.append(view)

    await start.refresh(replace(slack.house, client=cast(Any, Page())), sent)
    assert check_view(views[0]) is None
    return views[0]


async def test_price_and_time_follow_the_choices_and_earlier_models_are_offered(tmp_path: Path) -> None:
    async with place(tmp_path) as (slack, _):
        data = await dropped(slack, tmp_path)
        assert (await shown(slack, data))["submit"]["text"] == "Start · about $4.78"
        assert (await shown(slack, data, "1"))["submit"]["text"] == "Start · about $1.59"
        dear = await shown(slack, data, "1", "gpt-4.1-2025-04-14")
        assert dear["submit"]["text"] == "Start · about $7.96"

        earlier = a_job(
            channel=data.channel,
            state="ready",
            dataset_id=data.id,
            fine_tuned_model="ft:six",
            name="triage-6",
            trained_tokens=1_000_000,
            finished_at=CREATED + 60 + 3_000,
        )
        await slack.store.write(lambda db: jobs.add(db, earlier))
        view = await shown(slack, data)
        assert view["submit"]["text"] == "Start · $4.78 · 48 min"
        menu = next(b for b in view["blocks"] if b.get("block_id") == "base")["element"]["options"]
        assert menu[-1]["value"] == "openai|ft:six"
        assert menu[-1]["text"]["text"] == "triage-6, further · $5.00 per 1M"


async def test_the_form_begins_with_a_base_that_trains_with_data_of_its_kind(tmp_path: Path) -> None:
    async with place(tmp_path) as (slack, provider):
        facts = [("plain", ["supervised"]), ("both", ["supervised", "dpo"])]
        provider.models = [
            {"id": name, "object": "model", "x_fine_tuning": {"fine_tunable": True, "methods": methods}}
            for name, methods in facts
        ]
        data = await dropped(slack, tmp_path)
        await slack.store.write(lambda db: datasets.change(db, data.id, method="dpo"))
        view = await shown(slack, data, base="")
        menu = next(b for b in view["blocks"] if b.get("block_id") == "base")["element"]
        assert menu["initial_option"]["value"] == "openai|both"


async def test_the_whole_form_by_hand_from_the_command_to_the_job_with_an_error_at_its_field(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as (slack, provider):
        data = await dropped(slack, tmp_path)
        await slack.jin.command(data.channel, "/ft start")

        async def form_with(block_id: str) -> dict[str, Any] | None:
            views = (await slack.jin.ask("GET", "/views"))["views"]
            there = [v for v in views if any(b.get("block_id") == block_id for b in v["blocks"])]
            return there[-1] if there else None

        async def button() -> dict[str, Any] | None:
            return await form_with("more")

        async def fields() -> dict[str, Any] | None:
            return await form_with("more_seed")

        view = await until(button)
        assert view["submit"]["text"] == "Start · about $4.78"
        click = {"view_id": view["id"], "block_id": "more", "action_id": "more"}
        assert (await slack.jin.ask("POST", "/actions", click))["ok"]
        view = await until(fields)

        def filled(**fields: str) -> dict[str, Any]:
            return {"values": {b: {b: {"type": "number_input", "value": v}} for b, v in fields.items()}}

        there = f"/views/{view['id']}/submit"
        odd = {"values": {"name": {"name": {"type": "plain_text_input", "value": "no / please"}}}}
        assert list((await slack.jin.ask("POST", there, odd))["errors"]) == ["name"]
        answer = await slack.jin.ask("POST", there, filled(name="triage", more_epochs="2", more_seed="7"))
        assert answer["closed"], answer
        await until(lambda: provider.created)
        assert provider.created[0]["seed"] == 7
        assert provider.created[0]["method"]["supervised"] == {"hyperparameters": {"n_epochs": 2}}


async def test_a_job_above_the_cap_is_refused_at_its_field_with_both_sums(tmp_path: Path) -> None:
    async with place(tmp_path, max_job_usd=2.5) as (slack, provider):
        sent = form(slack, await dropped(slack, tmp_path))
        await slack.house.providers.get("openai").profile()  # the form showed its prices
        assert await modals.errors_in(slack.house, sent) == {
            "base": "This is about $4.78; a job here may cost $2.50 at most. Take fewer epochs, a smaller"
            " base or less data, or ask the person who runs ftbot."
        }
        assert provider.files == []


async def test_a_cap_that_is_seen_only_afterwards_is_said_to_the_person_alone(tmp_path: Path) -> None:
    async with place(tmp_path, max_job_usd=2.5) as (slack, provider):
        sent = form(slack, await dropped(slack, tmp_path))
        assert await modals.errors_in(slack.house, sent) == {}  # prices were never read: nobody is asked
        await modals.on_submission(slack.house, ITEM, sent)
        said = [m for m in await slack.jin.messages(sent.channel) if m.get("ephemeral")]
        assert "a job here may cost $2.50 at most" in said[0]["text"]
        assert (provider.created, provider.files) == ([], [])


@pytest.mark.parametrize("used", [999, 1_000])
async def test_the_monthly_cap_of_chat_refuses_politely_and_asks_the_provider_nothing(
    tmp_path: Path, used: int
) -> None:
    async with place(tmp_path, month_tokens=1_000) as (slack, provider):
        room = slack.channel("tuning")
        choice = ChannelModel(room, "openai", BASE, "gpt-4.1-mini", slack.user("jin"), NOW)

        def before(db: Any) -> None:
            chats.use(db, choice)
            rooms.spent(db, month_of(NOW), "openai", used)

        await slack.store.write(before)
        await slack.jin.command(room, "/ft ask is my invoice right?")

        async def answered() -> str:
            roots = [m for m in await slack.jin.messages(room) if "is my invoice right?" in m["text"]]
            thread = await slack.jin.thread(room, roots[0]["ts"]) if roots else []
            said = str(thread[1:])
            return said if "Hello there" in said or "used up" in said else ""

        said = await until(answered)
        if used < 1_000:
            assert "Hello there" in said
        else:
            assert "This month's 1,000 tokens for chat are used up." in said
            assert "Wait for the first of the month" in said
            assert provider.chats == []

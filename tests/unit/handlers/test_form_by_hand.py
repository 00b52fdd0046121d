"""The start form as a person fills it in, from the command to the job: the name, and rows in both files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from storage import datasets, jobs
from storage.records import Dataset
from tests.support.provider import BASE
from tests.support.samples import a_dataset, a_job
from tests.support.surfaces import Surfaces
from tests.support.waiting import until
from tests.support.whole import dropped, place

Json = dict[str, Any]


async def form(slack: Surfaces, block_id: str, words: str = "") -> Json:
    """The open form, once it has this block and the block says so."""

    async def look() -> Json | None:
        views = (await slack.jin.ask("GET", "/views"))["views"]
        blocks = [b for v in views for b in v["blocks"] if b.get("block_id") == block_id]
        return views[-1] if blocks and words in json.dumps(blocks[0], ensure_ascii=False) else None

    return await until(look)


async def choose(slack: Surfaces, view: Json, block_id: str, **said: Any) -> None:
    click = {"view_id": view["id"], "block_id": block_id, "action_id": block_id}
    answer = await slack.jin.ask("POST", "/actions", click | said)
    assert answer["ok"], answer


def typed(view: Json) -> Any:
    return view["state"]["values"]["name"]["name"]["value"]


async def test_what_the_name_becomes_follows_what_is_typed(tmp_path: Path) -> None:
    async with place(tmp_path) as (slack, _):
        data = await dropped(slack, tmp_path)
        earlier = a_job(dataset_id=data.id, name="tickets-4", suffix="tickets", number=4)
        await slack.store.write(lambda db: jobs.add(db, earlier))
        await slack.jin.command(data.channel, "/ft start")
        view = await form(slack, "name", "Becomes triage-1: the name people type.")
        await choose(slack, view, "name", value="Tickets")
        view = await form(slack, "name", "Becomes tickets-5: ")
        assert typed(view) == "Tickets"

        await choose(slack, view, "base", selected_option={"value": "openai|gpt-4.1-2025-04-14"})

        async def dearer() -> Json | None:
            (other,) = (await slack.jin.ask("GET", "/views"))["views"]
            return other if other["submit"] != view["submit"] else None

        view = await until(dearer)
        assert typed(view) == "Tickets"
        await form(slack, "name", "Becomes tickets-5: ")

        await choose(slack, view, "name", value="no / please")
        await form(slack, "name", '"hint": {"type": "plain_text", "text": "Use up to 40 letters')
        await choose(slack, view, "name", value=None)
        view = await form(slack, "name", "Use up to 40 letters")
        assert not typed(view)


def rows(*numbers: int) -> str:
    """Rows that resemble no other: each holds words of its own."""
    made: list[str] = []
    for number in numbers:
        words = [hashlib.sha256(f"{number} {n}".encode()).hexdigest()[:8] for n in range(24)]
        asked, reply = " ".join(words[:12]), " ".join(words[12:])
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": reply}]
        made.append(json.dumps({"messages": messages}) + "\n")
    return "".join(made)


async def data(slack: Surfaces, folder: Path, name: str, *numbers: int) -> Dataset:
    """A file that is ready in #tuning, with its rows kept."""
    path = folder / name
    path.write_text(rows(*numbers), "utf-8")
    made = a_dataset(
        name=name,
        channel=slack.channel("tuning"),
        drop_id=f"C1:1.1:{name}",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        examples=len(numbers),
        path=str(path),
    )
    kept = await slack.store.write(lambda db: datasets.add(db, made))
    assert kept is not None
    return kept


@pytest.mark.parametrize("known", [True, False])
async def test_rows_in_both_files_are_refused_at_the_field_until_the_box_is_ticked_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """``known``: whether somebody has looked when the form is shown."""
    monkeypatch.setattr("handlers.verbs.start.OVERLAP_SECONDS", 30.0 if known else 0.0)
    async with place(tmp_path) as (slack, provider):
        training = await data(slack, tmp_path, "triage.jsonl", *range(20))
        validation = await data(slack, tmp_path, "triage-val.jsonl", *range(17, 30))
        await slack.jin.command(training.channel, "/ft start")
        view = await form(slack, "overlap", "Use them all the same")
        await form(slack, "validation", "3 rows also in the training data" if known else "")
        await slack.house.intake.overlap(
            training, validation
        )  # an acknowledgement waits for it a second only

        there = f"/views/{view['id']}/submit"
        base = {"selected_option": {"value": f"openai|{BASE}"}}
        values: Json = {"name": {"name": {"value": "triage"}}, "base": {"base": base}}
        refused = await slack.jin.ask("POST", there, {"values": values})
        assert list(refused["errors"]) == ["validation"]
        assert "3 rows are also in the training data: lines 1, 2, 3." in refused["errors"]["validation"]
        assert provider.created == []

        ticked = {"overlap": {"overlap": {"selected_options": [{"value": "allowed"}]}}}
        answer = await slack.jin.ask("POST", there, {"values": values | ticked})
        assert answer.get("closed"), answer
        await until(lambda: provider.created)
        overlap = await slack.store.read(
            lambda db: datasets.overlap_of(db, training.sha256, validation.sha256)
        )
        assert overlap is not None
        assert (overlap.rows, overlap.allowed_by) == (3, slack.user("jin"))
        assert provider.created[0]["validation_file"]

"""After a failure, with the real engine behind the buttons: other rows, a look at them, the upload gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from handlers import job_buttons
from handlers.errors import BadCall
from handlers.incoming import Incoming
from handlers.rendering import render_notice
from storage import datasets, jobs, outbox
from storage.records import Dataset, Job, Notice, Upload
from tests.support.provider import BASE, FakeProvider
from tests.support.samples import a_dataset, a_job
from tests.support.surfaces import Surfaces
from tests.support.whole import NOW, place
from tests.unit.tuning.jobs.test_datasets import rows, text
from tuning.jobs.notices import drop_card


@dataclass
class Room:
    """A channel with a failed job of jin's; the provider named rows 4 and 13 and still has the file."""

    slack: Surfaces
    provider: FakeProvider
    data: Dataset
    job: Job

    async def press(self, action: str, who: str = "jin", **fields: Any) -> list[str]:
        """Clicks as a person; answers what was said to one person alone by it."""
        before = len(await self.alone())
        user = self.slack.user(who)
        clicked = Incoming(
            "action", user, self.job.channel, action=action, value=str(self.job.id),
            trigger_id=self.slack.world.windows.trigger(user),
        )  # fmt: skip
        await job_buttons.on_action(self.slack.house, replace(clicked, **fields))
        return (await self.alone())[before:]

    async def alone(self) -> list[str]:
        found: list[str] = []
        for person in (self.slack.jin, self.slack.mina):
            found += [
                json.dumps(m, ensure_ascii=False)
                for m in await person.messages(self.job.channel)
                if m.get("ephemeral")
            ]
        return found

    def form(self, who: str = "jin") -> dict[str, Any]:
        """What a person has open."""
        return self.slack.world.windows.stack(self.slack.user(who))[-1].body

    async def copies(self) -> list[Dataset]:
        return await self.slack.store.read(lambda db: datasets.made_from(db, self.data.id))


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with place(tmp_path) as (slack, provider):
        path = tmp_path / "triage.jsonl"
        path.write_text(text(*rows(14)), "utf-8")
        fresh = a_dataset(channel=slack.channel("tuning"), state="checking", sha256=None)
        kept = await slack.store.write(lambda db: datasets.add(db, fresh))
        assert kept is not None
        data = await slack.house.intake.check(kept.id, path)
        provider.files.append({"id": "file-1", "object": "file", "filename": "x"})

        def fail(db: Any) -> Job:
            upload = Upload(str(data.sha256), "openai", "x", "sent", NOW, file_id="file-1")
            datasets.want_upload(db, upload)
            datasets.change_upload(db, str(data.sha256), "openai", state="sent", file_id="file-1")
            drop_card(db, data, NOW)
            error = {"code": "unsafe_file", "message": "flagged: lines 4, 13", "lines": [4, 13], "line": 4}
            return jobs.add(
                db,
                a_job(
                    channel=data.channel, owner=slack.user("jin"), dataset_id=data.id, state="failed",
                    base=BASE, error=error, settings={"epochs": 4}, suffix="mine",
                ),
            )  # fmt: skip

        yield Room(slack, provider, data, await slack.store.write(fail))


async def test_the_notice_of_a_failure_offers_the_next_steps(room: Room) -> None:
    notice = Notice("n", "job_failed", room.job.channel, {"job_id": room.job.id}, NOW)
    said = json.dumps((await render_notice(room.slack.house, notice)).message.blocks)
    for part in ("Drop 2 rows and start again", "Show me the rows", f"delete_upload|{room.job.id}"):
        assert part in said


async def test_a_job_is_started_again_without_the_named_rows(room: Room) -> None:
    await room.press("drop_rows", "mina")
    (copy,) = await room.copies()
    assert (copy.state, copy.examples, copy.changes[0]["lines"]) == ("ready", 12, [4, 13])
    assert copy.user == room.slack.user("mina")
    shown = {b["block_id"]: b["element"] for b in room.form("mina")["blocks"] if "element" in b}
    assert shown["dataset"]["initial_option"]["value"] == str(copy.id)
    assert (shown["name"]["initial_value"], shown["more_epochs"]["initial_value"]) == ("mine", "4")
    await room.press("drop_rows")
    assert [one.id for one in await room.copies()] == [copy.id]


async def test_too_few_rows_left_are_said_in_the_form(room: Room) -> None:
    many = {**room.job.error, "lines": list(range(1, 9))}
    await room.slack.store.write(lambda db: jobs.change(db, room.job.id, error=many))
    await room.press("drop_rows")
    assert "is not ready to train. See its card." in str(room.form())


async def test_named_rows_are_shown_to_one_member_alone(room: Room) -> None:
    (said,) = await room.press("show_rows")
    for part in ("Line 4", "Line 13", "number 3?", "number 12?", "Only you see this"):
        assert part in said
    assert "number 5?" not in said
    public = [m for m in await room.slack.jin.messages(room.job.channel) if not m.get("ephemeral")]
    assert "number 3?" not in json.dumps(public)


async def test_whoever_only_looks_into_a_channel_is_shown_no_rows(room: Room) -> None:
    leaver = room.slack.user("mina")
    channel = next(c for c in room.slack.world.store.channels() if c.id == room.job.channel)
    room.slack.world.store.remove_member(channel.id, leaver)
    room.slack.house.rooms.forget(leaver)
    with pytest.raises(BadCall, match="Only members"):
        await room.press("show_rows", "mina")


async def test_rows_of_another_channel_are_neither_shown_nor_dropped(room: Room) -> None:
    for action in ("show_rows", "drop_rows"):
        with pytest.raises(BadCall, match="another channel"):
            await room.press(action, channel=room.slack.channel("general"))
    assert await room.copies() == []


async def test_the_upload_is_deleted_after_a_question_and_leaves_a_line(room: Room) -> None:
    (asked,) = await room.press("delete_upload")
    assert "file-1" in asked
    assert "delete_upload_now" in asked
    assert "This cannot be taken back" in asked
    assert room.provider.count("DELETE", "/files/.*") == 0
    (done,) = await room.press("delete_upload_now")
    assert "has no upload any more" in done
    assert room.provider.count("DELETE", "/files/file-1") == 1
    (line,) = await room.slack.store.read(lambda db: outbox.of_kind(db, "job_upload_deleted"))
    said = json.dumps((await render_notice(room.slack.house, line)).message.blocks)
    assert "was deleted at OpenAI by" in said
    assert room.job.owner in said
    with pytest.raises(BadCall, match="No file of"):
        await room.press("delete_upload")


@pytest.mark.parametrize("action", ["delete_upload", "delete_upload_now"])
async def test_only_who_started_the_job_or_an_admin_deletes_its_upload(room: Room, action: str) -> None:
    with pytest.raises(BadCall, match="can delete its upload"):
        await room.press(action, "mina")
    assert room.provider.count("DELETE", "/files/.*") == 0
    admins = frozenset({room.slack.user("mina")})
    room.slack.house = replace(room.slack.house, admins=admins)
    await room.press(action, "mina")
    assert room.provider.count("DELETE", "/files/.*") == (action == "delete_upload_now")


async def test_named_rows_of_the_validation_file_are_left_out_of_that(room: Room) -> None:
    channel, folder = room.job.channel, room.slack.house.spool.parent
    path = folder / "held.jsonl"
    path.write_text(text(*rows(12, first=40)), "utf-8")
    fresh = a_dataset(
        channel=channel, state="checking", sha256=None, name="held-val.jsonl", drop_id=f"{channel}:2.0:F2"
    )
    kept = await room.slack.store.write(lambda db: datasets.add(db, fresh))
    assert kept is not None
    held_out = await room.slack.house.intake.check(kept.id, path)
    blamed = {**room.job.error, "param": "validation_file", "lines": [2]}
    await room.slack.store.write(
        lambda db: jobs.change(db, room.job.id, validation_id=held_out.id, error=blamed)
    )
    await room.press("drop_rows")
    assert await room.copies() == []
    (copy,) = await room.slack.store.read(lambda db: datasets.made_from(db, held_out.id))
    assert (copy.state, copy.examples, copy.purpose) == ("ready", 11, "validation")
    shown = {b["block_id"]: b["element"] for b in room.form()["blocks"] if "element" in b}
    assert shown["dataset"]["initial_option"]["value"] == str(room.data.id)
    assert shown["validation"]["initial_option"]["value"] == str(copy.id)

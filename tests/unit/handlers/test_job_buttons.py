"""The menu of a job with the real engine behind it: who may do what, and what it leaves behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handlers import job_buttons
from handlers.errors import BadCall
from handlers.incoming import Incoming
from storage import chats, datasets, jobs, outbox
from storage.chat_records import ChannelModel
from storage.records import Evaluation, Job, Overlap
from tests.support.provider import BASE, FakeProvider
from tests.support.samples import a_job
from tests.support.surfaces import Surfaces
from tests.support.whole import NOW, dropped, place
from tuning.errors import EvaluationFailed, Refused

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-7:abc"


@dataclass
class Room:
    """A channel with a finished job of jin's."""

    slack: Surfaces
    provider: FakeProvider
    job: Job

    async def press(self, action: str, who: str = "jin") -> list[str]:
        """Clicks as a person; answers what that person alone is told by it."""
        before = len(await self.alone())
        clicked = Incoming(
            "action", self.slack.user(who), self.job.channel, action=action, value=str(self.job.id)
        )
        await job_buttons.on_action(self.slack.house, clicked)
        return (await self.alone())[before:]

    async def alone(self) -> list[str]:
        return [str(m) for m in await self.slack.jin.messages(self.job.channel) if m.get("ephemeral")]

    async def now(self) -> Job:
        return await self.slack.store.read(lambda db: jobs.get(db, self.job.id))

    async def told(self, kind: str) -> list[dict[str, Any]]:
        return [n.body for n in await self.slack.store.read(lambda db: outbox.of_kind(db, kind))]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with place(tmp_path) as (slack, provider):
        data = await dropped(slack, tmp_path)
        jin = slack.user("jin")

        def keep(db: Any) -> Job:
            job = a_job(
                channel=data.channel, owner=jin, dataset_id=data.id, validation_id=data.id, state="ready",
                fine_tuned_model=MODEL, base=BASE,
            )  # fmt: skip
            kept = jobs.add(db, job)
            chats.use(db, ChannelModel(data.channel, "openai", MODEL, "triage-7", jin, NOW, kept.id))
            jobs.want_evaluation(db, Evaluation(kept.id, "asked", NOW))
            return kept

        yield Room(slack, provider, await slack.store.write(keep))


async def test_deleting_asks_first_then_leaves_a_line_with_the_name_and_no_channel_uses_it(
    room: Room,
) -> None:
    (asked,) = await room.press("delete_model")
    assert f"'channel_id': '{room.job.channel}'" in asked
    assert room.provider.count("DELETE", "/models/.*") == 0
    (done,) = await room.press("delete_model_now")
    assert "has no model any more" in done
    assert room.provider.count("DELETE", f"/models/{MODEL}") == 1
    job = await room.now()
    assert (job.fine_tuned_model, job.archived) == (None, 1)
    assert await room.told("job_deleted") == [{"job_id": job.id, "by": job.owner}]
    assert await room.slack.store.read(lambda db: chats.model_of(db, job.channel)) is None


@pytest.mark.parametrize("action", ["delete_model", "delete_model_now", "score", "archive"])
async def test_only_who_started_a_job_may_end_or_spend(room: Room, action: str) -> None:
    with pytest.raises(BadCall, match="Only the person who started triage-7"):
        await room.press(action, "mina")
    job = await room.now()
    assert (job.fine_tuned_model, job.archived) == (MODEL, 0)
    assert room.provider.chats == []


async def test_a_model_that_the_provider_keeps_is_not_forgotten_here(room: Room) -> None:
    room.provider.fault("DELETE", "/models/.*", status=403, code="insufficient_permissions", message="no")
    with pytest.raises(Refused):
        await room.press("delete_model_now")
    assert (await room.now()).fine_tuned_model == MODEL
    assert await room.told("job_deleted") == []


async def test_a_model_that_is_gone_already_counts_as_deleted(room: Room) -> None:
    room.provider.fault("DELETE", "/models/.*", status=404, code="model_not_found", message="no")
    await room.press("delete_model_now")
    assert (await room.now()).fine_tuned_model is None


async def test_the_score_is_begun_by_its_button_and_only_once(room: Room) -> None:
    (said,) = await room.press("score")
    assert "is being scored: the result comes in its thread" in said
    with pytest.raises(EvaluationFailed):
        await room.press("score")


async def test_who_mutes_a_job_is_named_to_the_channel(room: Room) -> None:
    await room.press("mute", "mina")
    said = [m for m in await room.slack.jin.messages(room.job.channel) if "tells its end only" in m["text"]]
    assert room.slack.user("mina") in str(said[0]["blocks"])
    assert (await room.now()).muted == 1


async def test_about_names_who_let_an_overlap_stand(room: Room) -> None:
    mina = room.slack.user("mina")

    def decide(db: Any) -> None:
        data = datasets.get(db, room.job.dataset_id)
        datasets.keep_overlap(db, Overlap(str(data.sha256), str(data.sha256), 2, 1))
        datasets.allow_overlap(db, data.sha256, data.sha256, mina, NOW)

    (before,) = await room.press("about_job")
    assert "also in the training data" not in before
    await room.slack.store.write(decide)
    (after,) = await room.press("about_job")
    assert "3 validation rows also in the training data: allowed by" in after
    assert mina in after

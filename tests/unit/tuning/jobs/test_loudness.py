"""How much a job tells: quiet, normal, verbose, and one job muted."""

from __future__ import annotations

from collections import Counter

import pytest

from storage import jobs, outbox, rooms
from storage.chat_records import ChannelSettings, NoticeLevel
from tests.unit.tuning.jobs.conftest import Works

MODEL = "ft:gpt-4.1-mini-2025-04-14:org:triage-1:abc"
KINDS = ("job_epoch", "job_step", "job_safety", "job_finished", "job_failed", "job_cancelled", "job_paused")


async def told(works: Works) -> list[str]:
    """Kinds of all that went into the job's thread, in order."""
    found = await works.house.store.read(lambda db: [n for kind in KINDS for n in outbox.of_kind(db, kind)])
    return [n.kind for n in sorted(found, key=lambda n: n.seq)]


async def live(works: Works, *, steps: int = 20, epochs: int = 4) -> None:
    """A whole training, looked at after every step."""
    await works.started(epochs=epochs)
    (theirs,) = works.house.provider.jobs
    theirs["status"] = "running"
    for step in range(1, steps + 1):
        works.house.provider.step(theirs["id"], step, steps, 2.0 / step)
        await works.pass_time()
    data = {"results": [{"category": "hate", "flagged": False}, {"category": "violence", "flagged": False}]}
    works.house.provider.event(theirs["id"], "Checks done", type="moderation_checks", data=data)
    theirs |= {"status": "succeeded", "fine_tuned_model": MODEL, "trained_tokens": 3000}
    await works.pass_time()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("quiet", {"job_finished": 1}),
        ("normal", {"job_epoch": 4, "job_safety": 1, "job_finished": 1}),
        ("verbose", {"job_step": 9, "job_epoch": 4, "job_safety": 1, "job_finished": 1}),
    ],
)
async def test_a_channel_hears_as_much_as_it_chose(
    works: Works, level: NoticeLevel, expected: dict[str, int]
) -> None:
    await works.house.store.write(lambda db: rooms.choose(db, ChannelSettings("C1", level)))
    await live(works)
    kinds = await told(works)
    assert Counter(kinds) == expected
    assert kinds[-1] == "job_finished"


async def test_normal_is_what_nobody_chose_and_tells_five_epochs_at_most(works: Works) -> None:
    await live(works, steps=24, epochs=12)
    assert Counter(await told(works)) == {"job_epoch": 5, "job_safety": 1, "job_finished": 1}


async def test_a_muted_job_tells_its_end_in_a_loud_channel(works: Works) -> None:
    await works.house.store.write(lambda db: rooms.choose(db, ChannelSettings("C1", "verbose")))
    await works.started()
    await works.house.store.write(lambda db: jobs.change(db, 1, muted=1))
    (theirs,) = works.house.provider.jobs
    theirs["status"] = "running"
    works.house.provider.step(theirs["id"], 9, 9, 0.1)
    await works.pass_time()
    theirs |= {"status": "failed", "error": {"code": "server_error", "message": "internal"}}
    await works.pass_time()
    assert await told(works) == ["job_failed"]

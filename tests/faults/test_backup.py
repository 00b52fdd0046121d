"""A backup brings everything back, though the data folder it was made of is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.faults.places import FaultyPlace, Json, faulty_place
from tests.support.workspace import chat_file, choose, typed

STEPS = 4


def epoch(place: FaultyPlace, job: Json, number: int) -> None:
    """One epoch of a job at the provider."""
    name, last = str(job["id"]), number * STEPS
    for step in range(last - STEPS + 1, last + 1):
        figures = {"full_valid_loss": 2.0 / step} if step == last else {}
        place.provider.step(name, step, 3 * STEPS, 3.0 / step, **figures)
    place.provider.checkpoint(name, last, f"ft:{name}:ckpt-{last}", train_loss=3.0 / last)
    place.provider.event(name, f"Checkpoint created at step {last}")


async def told(place: FaultyPlace, channel: str, card: Json, notice: str) -> list[str]:
    """The notices of a job's thread, once this one is among them."""

    async def there() -> list[str] | None:
        found = await place.told(channel, str(card["ts"]))
        return found if notice in found else None

    return await place.jin.wait(f"the notice {notice}", there, 60)


async def test_8_a_backup_taken_at_work_brings_the_job_back_when_the_data_folder_is_lost(
    tmp_path: Path,
) -> None:
    folder, copy = tmp_path / "bot", tmp_path / "copy.db"
    async with faulty_place(tmp_path) as place:
        channel = await place.channel()
        await place.drop(channel, "train.jsonl", chat_file(12, "kept"))
        await place.ready(channel, 1)
        view = await place.open_form(channel)
        await place.submitted(view, choose(view, "dataset", "train.jsonl") | typed(view, "name", "kept"))
        card = await place.root(channel, "kept-1")
        await place.created(1)
        job = place.provider.jobs[0]
        job |= {"status": "running", "hyperparameters": {"n_epochs": 3}}
        place.provider.event(str(job["id"]), "Fine-tuning job started")
        epoch(place, job, 1)
        assert await told(place, channel, card, "job_epoch:1:1") == ["job_epoch:1:1"]

        code, said = await place.ftbot("backup", str(copy))
        assert (code, "bytes, checked" in said) == (0, True), said
        epoch(place, job, 2)
        await told(place, channel, card, "job_epoch:1:2")
        await place.kill()
        shutil.rmtree(folder)

        folder.mkdir(mode=0o700)
        shutil.copy(copy, folder / "ftbot.db")
        await place.programs.start_bot()
        epoch(place, job, 3)
        job |= {"status": "succeeded", "fine_tuned_model": "ft:kept", "trained_tokens": 1_000}
        await place.finished(channel, card)

        notices = await told(place, channel, card, "job_finished:1")
        since = ["job_epoch:1:2", "job_epoch:1:3", "job_finished:1"]
        again = notices[-len(since) :]  # what was posted after the copy was taken may be posted again
        assert again == since
        assert notices[: -len(since)] in (["job_epoch:1:1"], ["job_epoch:1:1", "job_epoch:1:2"])
        assert len(place.provider.jobs) == 1
        answer = await place.root(channel, "kept-1")
        assert answer["ts"] == card["ts"], "the job has one card"

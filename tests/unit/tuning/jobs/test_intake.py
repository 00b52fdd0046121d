"""A drop becomes a checked dataset."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from storage import datasets
from storage.records import Dataset
from tests.unit.tuning.conftest import House
from tests.unit.tuning.jobs.conftest import Works
from tuning.errors import StartRefused
from tuning.jobs import Intake


def lines(count: int, **extra: Any) -> str:
    rows = [
        {
            "messages": [
                {"role": "system", "content": "Route it."},
                {"role": "user", "content": f"Ticket {n}"},
                {"role": "assistant", "content": f"team {n}"},
            ],
            **extra,
        }
        for n in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def intake(works: Works, upload: Any = "at-once") -> Intake:
    house = works.house
    pool: Any = works.pool
    return Intake(house.store, house.providers, house.clock, pool, house.folder / "kept", upload)


async def drop(house: House, content: str) -> tuple[Dataset, Path]:
    made = await house.dataset("triage.jsonl", "f", state="checking", sha256=None, path=None, report={})
    spool = house.folder / f"spool-{made.id}"
    spool.write_text(content)
    return made, spool


async def test_a_good_file_is_ready_kept_privately_and_wanted_at_the_provider(works: Works) -> None:
    made, spool = await drop(works.house, lines(12))
    checked = await intake(works).check(made.id, spool)
    assert (checked.state, checked.examples, checked.method) == ("ready", 12, "supervised")
    assert checked.system_prompt == "Route it."
    assert checked.path is not None
    assert Path(checked.path).stat().st_mode & 0o777 == 0o600
    assert not spool.exists()
    (upload,) = await works.house.store.read(lambda db: datasets.uploads_in(db, "due"))
    assert upload.sha256 == checked.sha256
    assert upload.filename.startswith(str(checked.sha256)[:12])
    assert checked.report["cost"]["usd"] > 0


async def test_a_bad_file_is_not_ready_and_never_leaves(works: Works) -> None:
    made, spool = await drop(works.house, lines(12) + "{broken\n")
    checked = await intake(works).check(made.id, spool)
    assert checked.state == "not_ready"
    assert any(13 in p["lines"] for p in checked.report["problems"])
    assert await works.house.store.read(lambda db: datasets.uploads_in(db, "due")) == []


async def test_with_upload_on_start_nothing_leaves_before_a_start(works: Works) -> None:
    made, spool = await drop(works.house, lines(12))
    assert (await intake(works, "on-start").check(made.id, spool)).state == "ready"
    assert await works.house.store.read(lambda db: datasets.uploads_in(db, "due")) == []


async def test_a_file_that_vanished_leaves_a_clear_reason(works: Works) -> None:
    made, spool = await drop(works.house, "")
    spool.unlink()
    checked = await intake(works).check(made.id, spool)
    assert checked.state == "failed"
    assert "Drop it again" in str(checked.error)


async def test_a_disk_that_is_full_is_said_on_the_card(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made, spool = await drop(works.house, lines(12))
    working = intake(works)
    monkeypatch.setattr(working._shelf, "take", full)
    checked = await working.check(made.id, spool)
    assert checked.state == "failed"
    assert checked.error is not None
    assert "No space left" in checked.error
    assert "who runs ftbot" in checked.error


async def test_the_check_needs_no_provider(works: Works) -> None:
    works.house.provider.fault("GET", "/models", times=99)
    made, spool = await drop(works.house, lines(12))
    checked = await intake(works).check(made.id, spool)
    assert checked.state == "ready"
    assert checked.report["cost"] is None or checked.report["cost"]["usd"] is None


async def test_the_check_runs_in_a_process_of_its_own(works: Works) -> None:
    made, spool = await drop(works.house, lines(12))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        there = Intake(
            works.house.store, works.house.providers, works.house.clock, pool, works.house.folder / "kept"
        )
        assert (await there.check(made.id, spool)).state == "ready"


async def test_prices_follow_base_and_epochs(works: Works) -> None:
    made, spool = await drop(works.house, lines(40))
    there = intake(works)
    checked = await there.check(made.id, spool)
    mini = await there.prices(checked.id, epochs=2)
    full = await there.prices(checked.id, "openai", "gpt-4.1-2025-04-14", 2)
    assert mini.usd is not None
    assert full.usd == pytest.approx(mini.usd * 5, rel=0.01)
    assert (await there.prices(checked.id)).epochs_auto
    with pytest.raises(StartRefused) as refused:
        await there.prices(checked.id, base="gpt-2")
    assert refused.value.field == "base"

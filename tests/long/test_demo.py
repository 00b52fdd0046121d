"""The whole demo with real training: it exits 0 only when the model really learnt."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.memory import MemoryOf

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


LIMIT = 4_000_000_000
"""Bytes that the demo's programs may hold together."""


def test_the_demo_trains_a_model_that_beats_its_base(tmp_path: Path) -> None:
    out = tmp_path / "summary.json"
    with (tmp_path / "printed.txt").open("w+") as printed:
        demo = subprocess.Popen(
            [sys.executable, "-m", "demo", "--json", str(out)], stdout=printed, stderr=subprocess.STDOUT
        )
        memory = MemoryOf(demo.pid)
        memory.start()
        status = demo.wait(800)
        most = memory.stop()
        printed.seek(0)
        assert status == 0, printed.read()[-3000:]
    summary = json.loads(out.read_text("utf-8"))
    assert summary["ok"]
    assert summary["score_tuned"] > summary["score_base"]
    assert len(summary["checkpoints"]) == 3
    assert len(summary["answers"]) == 2
    print(f"the demo's programs held at most {most / 1e9:.2f} GB together")
    assert most < LIMIT

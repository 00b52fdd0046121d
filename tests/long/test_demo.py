"""The whole demo with real training: it exits 0 only when the model really learnt."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def test_the_demo_trains_a_model_that_beats_its_base(tmp_path: Path) -> None:
    out = tmp_path / "summary.json"
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--json", str(out)], capture_output=True, text=True, timeout=800
    )
    assert done.returncode == 0, done.stdout[-3000:]
    summary = json.loads(out.read_text("utf-8"))
    assert summary["ok"]
    assert summary["score_tuned"] > summary["score_base"]
    assert len(summary["checkpoints"]) == 3
    assert len(summary["answers"]) == 2

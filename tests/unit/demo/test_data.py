"""The person's own file: held out and sampled by a seed, and said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.data import HELD_OUT, prepare
from demo.errors import BadInput


def file_of(path: Path, rows: int, width: int = 40) -> Path:
    path.write_text("".join(json.dumps({"row": n, "text": "x" * width}) + "\n" for n in range(rows)))
    return path


def test_a_fifth_is_held_out_the_same_one_every_time(tmp_path: Path) -> None:
    data = file_of(tmp_path / "mine.jsonl", 50)
    kept: list[str] = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        files = prepare(data, None, folder)
        training = files.training.read_text().splitlines()
        held = files.validation.read_text().splitlines()
        assert len(held) == 50 // HELD_OUT
        assert sorted(training + held) == sorted(data.read_text().splitlines())
        kept.append(files.validation.read_text())
    assert kept[0] == kept[1]
    assert "held out 10 of 50" in files.notes[0]
    assert files.name == "mine"


def test_a_long_file_is_sampled_to_about_two_minutes_and_says_so(tmp_path: Path) -> None:
    data = file_of(tmp_path / "long.jsonl", 2_000)
    validation = file_of(tmp_path / "held.jsonl", 20)
    (tmp_path / "out").mkdir()
    files = prepare(data, validation, tmp_path / "out")
    rows = files.training.read_text().splitlines()
    assert 10 <= len(rows) < 2_000
    assert files.notes == (
        f"sampled {len(rows)} of 2000 training rows (seed 7), about two minutes of training",
    )


def test_what_cannot_be_used_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="goes with"):
        prepare(None, tmp_path / "v.jsonl", tmp_path)
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        prepare(bad, None, tmp_path)

from __future__ import annotations

import sys

import pytest

from tools import timed

PASS = f'{sys.executable} -c "pass"'
FAIL = f'{sys.executable} -c "raise SystemExit(3)"'


def test_all_parts_run_and_a_failed_one_fails_the_whole(capfd: pytest.CaptureFixture[str]) -> None:
    assert timed.main([f"first: {FAIL}", f"second: {PASS}"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[-3:-1]] == [["FAILED", "first"], ["ok", "second"]]
    assert lines[-1].split()[0] == "together"


def test_all_good_parts_are_a_success(capfd: pytest.CaptureFixture[str]) -> None:
    assert timed.main([f"one: {PASS}"]) == 0


def test_a_part_beside_the_others_is_told_at_the_end_and_counts(capfd: pytest.CaptureFixture[str]) -> None:
    loud = f"{sys.executable} -c \"print('beside'); raise SystemExit(1)\""
    assert timed.main([f"&aside: {loud}", f"one: {PASS}"]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert lines.index("beside") > next(i for i, line in enumerate(lines) if line.startswith("── one"))
    assert [line.split()[:2] for line in lines[-3:-1]] == [["ok", "one"], ["FAILED", "aside"]]

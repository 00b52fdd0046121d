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

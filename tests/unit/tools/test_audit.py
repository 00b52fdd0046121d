from __future__ import annotations

from typing import Any

import pytest

from tools import audit

GOOD = {"name": "rich", "version": "14.0", "vulns": []}
BAD = {"name": "rich", "version": "14.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["14.1"]}]}
UNKNOWN = {"name": "ghost", "skip_reason": "not found"}


def answer(monkeypatch: pytest.MonkeyPatch, *packages: dict[str, Any]) -> None:
    monkeypatch.setattr(audit, "audit", lambda requirements: ({"dependencies": list(packages)}, ""))


def test_audited_packages_without_holes_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, GOOD)
    assert audit.main() == 0


def test_a_hole_fails_with_the_version_that_closes_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, BAD)
    assert audit.main() == 1
    assert "rich 14.0: PYSEC-1, fixed in 14.1" in capsys.readouterr().out


def test_a_package_that_could_not_be_audited_fails_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, GOOD, UNKNOWN)
    assert audit.main() == 1
    assert "not audited: ghost: not found" in capsys.readouterr().out


def test_no_answer_at_all_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "audit", lambda requirements: (None, "no network"))
    assert audit.main() == 1


def test_a_local_build_is_audited_as_its_public_version() -> None:
    pins = audit.installed()
    assert any(pin.startswith("torch==") for pin in pins)
    assert not [pin for pin in pins if "+" in pin or pin.startswith("ftbot==")]

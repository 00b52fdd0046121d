"""Fixtures of every test: where the project lies, and the collection of real-world data files."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support import payloads
from tests.support.lacking import lacking

ROOT = Path(__file__).resolve().parents[1]


LONGEST = (
    "tests/faults/test_crash_lives.py",
    "tests/scenario/test_verbs.py",
    "tests/faults/test_promises.py",
    "tests/scenario/test_datasets.py",
    "tests/unit/trainserver/",
)
"""Begun first, so that no test process is left alone with them at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest tests before the others, in whatever order those stand."""
    places = range(len(LONGEST))
    items.sort(key=lambda one: next((n for n in places if one.nodeid.startswith(LONGEST[n])), len(LONGEST)))


ABOUT_REFUSALS = ("tests/unit/localslack/", "tests/contract/")
"""Tests that send wrong payloads on purpose; single ones elsewhere are marked ``malformed``."""


@pytest.fixture(autouse=True)
def well_formed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Whatever a test sends to Slack must be what Slack takes: no test can forget to look."""
    about_refusals = request.node.nodeid.startswith(ABOUT_REFUSALS)
    if about_refusals or request.node.get_closest_marker("malformed"):
        yield
        return
    with payloads.held(monkeypatch) as found:
        yield
    assert found == []


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty folder for one program's data."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample data files: $FTBOT_SAMPLES, else beside the checkout.

    They are not part of the project. Without them a test skips and says so; under CI=true it fails.
    """
    given = os.environ.get("FTBOT_SAMPLES")
    folder = Path(given) if given else ROOT.parent / "shared" / "samples"
    if folder.is_dir():
        return folder
    lacking(f"no sample files at {folder}; set FTBOT_SAMPLES to the folder that has them")

"""One workspace with its programs for each test process; every test has a channel of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.workspace import Workspace, workspace


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Workspace]:
    """The shared workspace, trainer and bot of this test process."""
    async with workspace(tmp_path_factory.mktemp("workspace")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def own_place(tmp_path: Path) -> AsyncGenerator[Workspace]:
    """A workspace for a test that kills programs or breaks them."""
    async with workspace(tmp_path) as running:
        yield running

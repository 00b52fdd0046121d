"""From a downloaded file to a checked dataset."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Literal

from storage.records import Dataset
from storage.store import Store
from tuning.clock import Clock
from tuning.datasets import Cost
from tuning.providers import Providers


class Intake:
    """Checks drops in worker processes and keeps what came out."""

    def __init__(
        self,
        store: Store,
        providers: Providers,
        clock: Clock,
        pool: ProcessPoolExecutor,
        keep_dir: Path,
        upload: Literal["at-once", "on-start"] = "at-once",
    ) -> None: ...

    async def check(self, dataset_id: int, path: Path) -> Dataset:
        """Checks the file at ``path`` (moved to the kept datasets) and records the result with its card."""
        raise NotImplementedError

    async def prices(
        self,
        dataset_id: int,
        provider: str | None = None,
        base: str | None = None,
        epochs: int | None = None,
    ) -> Cost:
        """What training on a checked dataset would cost; without names the default provider's default base."""
        raise NotImplementedError

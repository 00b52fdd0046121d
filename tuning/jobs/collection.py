"""The checked datasets: questions about them, decisions, and how long they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import structlog

from storage import datasets, jobs, outbox
from storage.records import Dataset, Overlap, Upload
from storage.store import Database, Store
from tuning.clock import Clock
from tuning.datasets import BaseInfo, Cost, Limits, LineMap, Report, estimate
from tuning.errors import DatasetBusy, DatasetError, NotKept, ProviderError, StartRefused
from tuning.jobs import workers
from tuning.jobs.holding import release
from tuning.jobs.names import upload_name
from tuning.jobs.shelf import Shelf
from tuning.jobs.withdrawing import Ties, ties_of, withdraw
from tuning.pictures import Picture
from tuning.providers import Providers

log = structlog.get_logger(__name__)
T = TypeVar("T")

DAY = 86_400.0
NOT_READY_DAYS = 7.0
"""How long a file that did not pass is kept for the buttons on its card."""


class Collection:
    """The checked datasets of the workspace. Slow work is done by worker processes."""

    def __init__(
        self,
        store: Store,
        providers: Providers,
        clock: Clock,
        pool: Executor,
        keep_dir: Path,
        upload: Literal["at-once", "on-start"] = "at-once",
        keep_days: float | None = None,
    ) -> None:
        """``keep_days``: how long files are kept; ``None``: until somebody deletes them."""
        self._store = store
        self._providers = providers
        self._clock = clock
        self._pool = pool
        self._shelf = Shelf(keep_dir)
        self._upload = upload
        self._keep_days = keep_days
        self._looking: dict[tuple[str, str], asyncio.Task[Overlap]] = {}
        self._making: dict[int, asyncio.Task[Dataset]] = {}

    def tidy(self) -> None:
        """Removes what an earlier life left half done; to be called before anything works."""
        self._shelf.tidy()

    # --- questions -------------------------------------------------------------------------------
    async def prices(
        self,
        dataset_id: int,
        provider: str | None = None,
        base: str | None = None,
        epochs: int | None = None,
    ) -> Cost:
        """What training on a checked dataset would cost; the default provider's default base without names.

        Raises:
            StartRefused: the dataset is not checked, or the base cannot be trained there.
            Unreachable: the provider's prices were never read.
        """
        dataset = await self._get(dataset_id)
        if not dataset.report:
            raise StartRefused("dataset", f"{dataset.title} is not checked yet.")
        chosen = self._providers.get(provider) if provider else self._providers.default
        profile = await chosen.profile()
        found = profile.base(base) if base else profile.default_base
        if found is None:
            raise StartRefused("base", f"{base or 'Nothing'} can be trained at {profile.label}.")
        return estimate(Report.from_json(dataset.report), found.info(), epochs or "auto")

    async def overlap(self, training: Dataset, validation: Dataset) -> Overlap:
        """How far validation data overlaps with training data; looked at once for two contents.

        Raises:
            NotKept: one of the files is gone.
            DatasetError: it could not be looked at.
        """
        key = (str(training.sha256), str(validation.sha256))
        known = await self._store.read(lambda db: datasets.overlap_of(db, *key))
        if known is not None:
            return known
        task = self._looking.get(key)
        if task is None:
            task = asyncio.create_task(self._overlap(training, validation))
            self._looking[key] = task
            task.add_done_callback(lambda _: self._looking.pop(key, None))
        return await asyncio.shield(task)

    async def _overlap(self, training: Dataset, validation: Dataset) -> Overlap:
        if training.path is None or validation.path is None:
            raise NotKept
        lines = Path(validation.lines_path) if validation.lines_path else None
        paths = Path(training.path), Path(validation.path)
        try:
            found = await self._work(workers.run_overlap, *paths, validation.report, lines)
        except (OSError, BrokenExecutor) as problem:
            raise DatasetError(
                f"Whether the files overlap could not be looked at ({type(problem).__name__})."
            ) from problem
        overlap = Overlap(str(training.sha256), str(validation.sha256), **found)
        await self._store.write(lambda db: datasets.keep_overlap(db, overlap))
        return overlap

    async def table(self, dataset_id: int) -> bytes:
        """The full report as a CSV table that names every line of the file as it was dropped.

        Raises:
            NotKept: the file is gone.
        """
        dataset = await self._get(dataset_id)
        if dataset.path is None:
            raise NotKept
        lines = Path(dataset.lines_path) if dataset.lines_path else None
        out = self._shelf.put(f"report-{dataset_id}-{id(dataset):x}.csv", b"")
        try:
            await self._work(
                workers.run_table,
                Path(dataset.path),
                dataset.report,
                await self._default_base(),
                dataset.purpose == "validation",
                lines,
                out,
            )
            return await asyncio.to_thread(out.read_bytes)
        finally:
            out.unlink(missing_ok=True)

    async def chart(self, dataset_id: int) -> Picture | None:
        """A picture of how long the examples are; ``None`` when there are none.

        Raises:
            NotKept: the file is gone.
        """
        dataset = await self._get(dataset_id)
        if dataset.path is None:
            raise NotKept
        tokens: dict[str, Any] = dataset.report.get("tokens") or {}
        return await self._work(
            workers.run_chart, Path(dataset.path), dataset.name, tokens.get("limit"), tokens.get("encoding")
        )

    async def dropped_lines(self, dataset_id: int, lines: list[int]) -> list[int]:
        """Lines of a dataset's file as lines of the file that was dropped."""
        dataset = await self._get(dataset_id)
        if dataset.lines_path is None:
            return lines
        try:
            data = await asyncio.to_thread(Path(dataset.lines_path).read_bytes)
        except OSError:  # deleted with its dataset: the lines of the copy are all that is known
            return lines
        dropped = LineMap.from_bytes(data)
        return [dropped.dropped(line) for line in lines]

    async def rows(self, dataset_id: int, lines: list[int], limit: int) -> list[tuple[int, str]]:
        """What lines of a dataset's file say, each within ``limit`` characters, private values replaced.

        Each with its line in the file that was dropped.

        Raises:
            NotKept: the file is gone.
        """
        dataset = await self._get(dataset_id)
        if dataset.path is None:
            raise NotKept
        found = await self._work(workers.run_rows, Path(dataset.path), lines, limit)
        dropped = await self.dropped_lines(dataset_id, [line for line, _ in found])
        return [(line, text) for line, (_, text) in zip(dropped, found, strict=True)]

    # --- decisions -------------------------------------------------------------------------------
    async def release(self, dataset_id: int, by: str) -> Dataset:
        """``by`` lets the file leave with the private values in it; it is sent at once where that is set."""
        now = self._clock()

        def write(db: Database) -> Dataset:
            dataset = datasets.get(db, dataset_id)
            release(db, dataset, by, now)
            if dataset.state == "ready" and not dataset.examining and self._upload == "at-once":
                datasets.want_upload(db, self._upload_of(dataset))
            outbox.touch(db, f"drop:{dataset_id}")
            return datasets.get(db, dataset_id)

        return await self._store.write(write)

    async def remove(self, dataset_id: int, by: str | None, state: Literal["closed", "deleted"]) -> Dataset:
        """Deletes the kept file, unless another dataset has the same content; the record stays.

        Raises:
            DatasetBusy: an open job still needs it.
        """
        now = self._clock()

        def write(db: Database) -> tuple[Dataset, list[str]]:
            dataset = datasets.get(db, dataset_id)
            if open_jobs := jobs.needing(db, dataset_id):
                raise DatasetBusy(", ".join(job.name for job in open_jobs[:3]))
            others = datasets.with_content(db, dataset.sha256) if dataset.sha256 else []
            shared = any(other.path == dataset.path for other in others if other.id != dataset_id)
            gone = [path for path in (None if shared else dataset.path, dataset.lines_path) if path]
            datasets.change(
                db,
                dataset_id,
                state=state,
                closed_by=by,
                closed_at=now,
                path=None,
                lines_path=None,
                examining=0,
            )
            for card in (dataset_id, dataset.origin_id):
                outbox.touch(db, f"drop:{card}")
            return datasets.get(db, dataset_id), gone

        removed, gone = await self._store.write(write)
        for path in gone:
            await asyncio.to_thread(Path(path).unlink, missing_ok=True)
        return removed

    async def ties(self, dataset_id: int) -> Ties:
        """What a dataset is tied to: what is said before it is deleted."""
        names = self._providers.names
        return await self._store.read(lambda db: ties_of(db, datasets.get(db, dataset_id), names))

    async def remove_everywhere(self, dataset_id: int, by: str) -> Dataset:
        """Deletes the file at the providers where nothing needs it any more, and then here.

        Raises:
            DatasetBusy: an open job still needs it. Refused, Unreachable: a provider did not delete it.
        """
        dataset = await self._get(dataset_id)
        if open_jobs := await self._store.read(lambda db: jobs.needing(db, dataset_id)):
            raise DatasetBusy(", ".join(job.name for job in open_jobs[:3]))
        await withdraw(self._store, self._providers, dataset)
        return await self.remove(dataset_id, by, "deleted")

    async def sweep(self) -> None:
        """Deletes what was kept long enough, and what a crash left; files of open jobs stay."""
        now = self._clock()
        days = NOT_READY_DAYS if self._keep_days is None else min(self._keep_days, NOT_READY_DAYS)
        old = await self._store.read(
            lambda db: datasets.older_than(db, now - days * DAY, "not_ready", "failed")
        )
        if self._keep_days is not None:
            moment = now - self._keep_days * DAY
            old += await self._store.read(lambda db: datasets.older_than(db, moment, "ready"))
        for dataset in old:
            with suppress(DatasetBusy):
                await self.remove(dataset.id, None, "deleted")
                log.info("dataset_kept_long_enough", dataset=dataset.id)
        names = await asyncio.to_thread(self._shelf.older_than, now - DAY)
        for name in await self._store.read(lambda db: _left_over(db, names)):
            await asyncio.to_thread(self._shelf.space(name).unlink, missing_ok=True)
            log.info("left_over_file_deleted")

    # --- small parts -----------------------------------------------------------------------------
    async def _get(self, dataset_id: int) -> Dataset:
        return await self._store.read(lambda db: datasets.get(db, dataset_id))

    async def _work(self, work: Callable[..., T], *values: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *values)

    async def _default_base(self) -> BaseInfo | None:
        try:
            base = (await self._providers.default.profile()).default_base
        except ProviderError:  # the check itself needs no provider: price and limit stay unknown
            return None
        if base is None:
            return None
        return replace(base.info(), limits=await self._limits())

    async def _limits(self) -> Limits:
        """Those of the default provider; pictures are fine as long as any provider here takes them."""
        limits = (await self._providers.default.profile()).limits
        others = [self._providers.get(name).last_profile for name in self._providers.names]
        if any(profile is not None and profile.limits.pictures for profile in others):
            return msgspec.structs.replace(limits, pictures=True)
        return limits

    def _upload_of(self, dataset: Dataset) -> Upload:
        sha256 = str(dataset.sha256)
        name = upload_name(sha256, dataset.name)
        return Upload(sha256, self._providers.default.name, name, "due", self._clock())


def _left_over(db: Database, names: list[str]) -> list[str]:
    """Those of these files whose content is known and that no dataset has: their deletion was cut off.

    A content that nobody knows is left alone: it may be that of a database yet to be restored.
    """
    found: list[str] = []
    for name in names:
        known = datasets.with_content(db, name.split(".")[0].split("-")[0])
        if known and all(dataset.path is None or Path(dataset.path).name != name for dataset in known):
            found.append(name)
    return found

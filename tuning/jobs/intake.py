"""From a file to a checked dataset: the verdict first, then quality and privacy."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator
from concurrent.futures import BrokenExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import structlog

from storage import datasets, outbox
from storage.records import Dataset
from storage.store import Database
from tuning.datasets import Report
from tuning.errors import DatasetError, NotKept
from tuning.jobs import making, workers
from tuning.jobs.collection import Collection
from tuning.jobs.holding import held
from tuning.jobs.names import names_validation

log = structlog.get_logger(__name__)

BIG = 20 * 1024 * 1024
"""Bytes from which on a card shows how far the check is."""
LOOK_SECONDS = 1.0
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


class Intake(Collection):
    """Checks drops in worker processes and keeps what came out."""

    # --- the two looks ---------------------------------------------------------------------------
    async def check(self, dataset_id: int, path: Path) -> Dataset:
        """Checks the file at ``path``, moves it to the kept datasets and records the result with its card.

        The verdict is recorded as soon as it is known; quality and privacy follow. A check that cannot be
        done (the file vanished, the worker died) leaves the dataset ``failed`` with its reason. A dataset
        that was checked before is answered as it is.
        """
        dataset = await self._get(dataset_id)
        if dataset.state != "checking":
            return dataset
        purpose = dataset.purpose if dataset.origin_id else _purpose_of(dataset.name)
        base = await self._default_base()
        try:
            async with self._shown_progress(dataset, path) as news:
                record = await self._work(
                    workers.run_check, path, dataset.name, base, purpose == "validation", news
                )
            report = await self._as_dropped(dataset, Report.from_json(record))
            fixable = 0 if report.verdict == "accept" else await self._fixable(report)
            kept = await asyncio.to_thread(self._shelf.take, path, f"{report.sha256}-{dataset_id}.jsonl")
        except (OSError, BrokenExecutor) as problem:
            return await self._failed(dataset_id, problem)
        facts = _facts(report, kept) | {
            "purpose": purpose,
            "fixable": fixable,
            "examining": 1,
            "progress": 0.0,
        }

        def verdict(db: Database) -> None:
            version = datasets.next_version(db, dataset.channel, dataset.name, report.sha256)
            datasets.change(db, dataset_id, version=version, **facts)
            outbox.touch(db, f"drop:{dataset_id}")

        await self._store.write(verdict)
        return await self.finish(dataset_id)

    async def finish(self, dataset_id: int) -> Dataset:
        """The second look at a dataset that has its verdict: quality, privacy, what changed since last time.

        Only after it may the file leave. A second look that cannot be done leaves the dataset ``failed``.
        """
        dataset = await self._get(dataset_id)
        if not dataset.examining or dataset.path is None:
            return dataset
        loose = Path(dataset.path)
        lines = Path(dataset.lines_path) if dataset.lines_path else None
        try:
            record = await self._work(workers.run_examine, loose, dataset.report, lines)
            since = await self._since(dataset)
            kept = await asyncio.to_thread(self._shelf.pack, loose, str(dataset.sha256))
        except (OSError, BrokenExecutor) as problem:
            return await self._failed(dataset_id, problem)
        report = Report.from_json(record)
        facts = _facts(report, kept) | {"examining": 0, "since": since}
        done = await self._store.write(lambda db: self._finished(db, dataset_id, facts))
        await asyncio.to_thread(loose.unlink, missing_ok=True)
        await self._look_at_pairs(done)
        return done

    def _finished(self, db: Database, dataset_id: int, facts: dict[str, Any]) -> Dataset:
        datasets.change(db, dataset_id, **facts)
        dataset = datasets.get(db, dataset_id)
        _pair(db, dataset)
        dataset = datasets.get(db, dataset_id)
        if dataset.state == "ready" and self._upload == "at-once" and not held(db, dataset):
            datasets.want_upload(db, self._upload_of(dataset))
        for card in (dataset_id, dataset.origin_id):
            outbox.touch(db, f"drop:{card}")
        return dataset

    async def examined(self, dataset_id: int, seconds: float) -> None:
        """Waits for a second look that is under way, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (await self._get(dataset_id)).examining:
                    await asyncio.sleep(0.05)

    # --- what is made from a dataset -------------------------------------------------------------
    async def make(self, dataset_id: int) -> Dataset:
        """Makes the file of a derived dataset from its original and checks it; finishes what was cut off.

        Whoever asks while it is under way waits for the same work.

        Raises:
            NotKept: the original is gone.
        """
        task = self._making.get(dataset_id)
        if task is None:
            task = asyncio.create_task(self._make(dataset_id))
            self._making[dataset_id] = task
            task.add_done_callback(lambda _: self._making.pop(dataset_id, None))
        return await asyncio.shield(task)

    async def _make(self, dataset_id: int) -> Dataset:
        dataset = await self._get(dataset_id)
        if dataset.state != "checking" or dataset.origin_id is None:
            return await self.finish(dataset_id)
        source = await self._get(dataset.origin_id)
        if source.path is None:
            raise NotKept
        earlier = Path(source.lines_path) if source.lines_path else None
        out = self._shelf.space(f"making-{dataset_id}.jsonl")
        lines = self._shelf.space(f"{dataset_id}.lines")
        try:
            changes = await self._work(making.maker(dataset), Path(source.path), out, lines, earlier)
        except (OSError, ValueError, BrokenExecutor) as problem:
            return await self._failed(dataset_id, problem)
        facts = {"changes": changes, "lines_path": str(lines)}
        await self._store.write(lambda db: datasets.change(db, dataset_id, **facts))
        return await self.check(dataset_id, out)

    # --- small parts -----------------------------------------------------------------------------

    async def _as_dropped(self, dataset: Dataset, report: Report) -> Report:
        if dataset.lines_path is None:
            return report
        return await asyncio.to_thread(workers.mapped, report, Path(dataset.lines_path))

    async def _fixable(self, report: Report) -> int:
        return await asyncio.to_thread(workers.run_fixable, report.to_record())

    async def _since(self, dataset: Dataset) -> dict[str, Any]:
        """The difference to the last version; nothing for a copy, or for a content that was here before."""
        before = await self._store.read(lambda db: datasets.version_before(db, dataset))
        if before is None or before.path is None or dataset.origin_id is not None:
            return {}
        if before.version > dataset.version:  # an old content again
            return {}
        tokens = (before.tokens, dataset.tokens)
        try:
            found = await self._work(
                workers.run_difference, Path(before.path), Path(str(dataset.path)), tokens
            )
        except (OSError, NotKept, BrokenExecutor) as problem:
            log.warning("no_difference", dataset=dataset.id, problem=type(problem).__name__)
            return {}
        return {"id": before.id, "version": before.version, **found}

    async def _look_at_pairs(self, dataset: Dataset) -> None:
        """Looks whether training and validation data that belong together overlap, and shows it."""
        for training, validation in await self._store.read(lambda db: _pairs_with(db, dataset)):
            try:
                await self.overlap(training, validation)
            except DatasetError as problem:
                log.warning("overlap_not_known", training=training.id, problem=type(problem).__name__)
                continue
            key = f"drop:{training.id}"
            await self._store.write(lambda db, key=key: outbox.touch(db, key))

    @asynccontextmanager
    async def _shown_progress(self, dataset: Dataset, path: Path) -> AsyncGenerator[Path | None]:
        """Shows on the card of a big file how far the check is."""
        size = (await asyncio.to_thread(path.stat)).st_size
        if size < BIG:
            yield None
            return
        news = self._shelf.put(f"progress-{dataset.id}", b"0")
        task = asyncio.create_task(self._follow(dataset.id, size, news))
        try:
            yield news
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            news.unlink(missing_ok=True)

    async def _follow(self, dataset_id: int, size: int, news: Path) -> None:
        shown = -1.0
        while True:
            share = float(news.read_text() or 0)
            if share > shown:
                shown = share
                await self._store.write(lambda db, share=share: _show(db, dataset_id, size, share))
            await asyncio.sleep(LOOK_SECONDS)

    async def _failed(self, dataset_id: int, problem: Exception) -> Dataset:
        words = f"The file could not be checked ({type(problem).__name__}). Drop it again."
        if isinstance(problem, OSError) and problem.errno in NO_ROOM:
            why = f"I could not write the file to my disk: {problem.strerror}."
            words = f"{why} Tell the person who runs ftbot, then drop it again."
        if isinstance(problem, ValueError):  # a copy that cannot be made says why
            words = f"The copy could not be made: {problem}."

        def write(db: Database) -> Dataset:
            datasets.change(db, dataset_id, state="failed", error=words, examining=0)
            outbox.touch(db, f"drop:{dataset_id}")
            return datasets.get(db, dataset_id)

        return await self._store.write(write)


def _purpose_of(name: str) -> Literal["training", "validation"]:
    return "validation" if names_validation(name) else "training"


def _show(db: Database, dataset_id: int, size: int, share: float) -> None:
    datasets.change(db, dataset_id, bytes=size, progress=share)
    outbox.touch(db, f"drop:{dataset_id}")


def _pair(db: Database, dataset: Dataset) -> None:
    """Training and validation data dropped in one message belong together."""
    if dataset.state != "ready":
        return
    others = [other for other in datasets.dropped_with(db, dataset) if other.state == "ready"]
    if dataset.purpose == "training":
        held_out = next((other for other in others if other.purpose == "validation"), None)
        if held_out is not None and dataset.validation_id is None:
            datasets.change(db, dataset.id, validation_id=held_out.id)
        return
    for other in others:
        if other.purpose == "training" and other.validation_id is None:
            datasets.change(db, other.id, validation_id=dataset.id)
            outbox.touch(db, f"drop:{other.id}")


def _pairs_with(db: Database, dataset: Dataset) -> list[tuple[Dataset, Dataset]]:
    """Training data with its validation data, as far as both are looked at and one of them is this one."""
    if dataset.state != "ready":
        return []
    pairs = [(other, dataset) for other in datasets.validated_by(db, dataset.id)]
    if dataset.validation_id is not None:
        pairs.append((dataset, datasets.get(db, dataset.validation_id)))
    return [pair for pair in pairs if all(one.state == "ready" and not one.examining for one in pair)]


def _facts(report: Report, kept: Path) -> dict[str, Any]:
    return {
        "state": "ready" if report.verdict == "accept" else "not_ready",
        "sha256": report.sha256,
        "bytes": report.bytes,
        "method": report.method,
        "examples": report.examples,
        "tokens": report.tokens.total if report.tokens else 0,
        "path": str(kept),
        "system_prompt": report.system_prompt,
        "tools": report.tools or [],
        "report": report.to_record(),
        "error": None,
    }

"""From a downloaded file to a checked dataset."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from pathlib import Path
from typing import Any, Literal

from storage import datasets, outbox
from storage.records import Dataset, Upload
from storage.store import Database, Store
from tuning.clock import Clock
from tuning.datasets import BaseInfo, Cost, Report, check_file, estimate
from tuning.errors import ProviderError, StartRefused
from tuning.jobs.names import upload_name
from tuning.providers import Providers

HOLD = frozenset({"secret", "payment_card", "national_id"})
"""Findings for which a file waits for a person's decision before it leaves this server."""


def run_check(path: Path, name: str, base: BaseInfo | None) -> dict[str, Any]:
    """The check in a worker process; answers the whole report as plain values."""
    return check_file(path, name=name, base=base).to_record()


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
    ) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock
        self._pool = pool
        self._keep_dir = keep_dir
        self._upload = upload

    async def check(self, dataset_id: int, path: Path) -> Dataset:
        """Checks the file at ``path``, moves it to the kept datasets and records the result with its card.

        A check that cannot be done (the file vanished, the worker died) leaves the dataset ``failed`` with
        its reason. A dataset that was checked before is answered as it is.
        """
        dataset = await self._store.read(lambda db: datasets.get(db, dataset_id))
        if dataset.state != "checking":
            return dataset
        base = await self._default_base()
        try:
            record = await asyncio.get_running_loop().run_in_executor(
                self._pool, run_check, path, dataset.name, base
            )
            report = Report.from_json(record)
            kept = await asyncio.to_thread(self._keep, path, report.sha256)
        except (OSError, BrokenExecutor) as problem:
            words = f"The file could not be checked ({type(problem).__name__}). Drop it again."
            return await self._record(dataset_id, {"state": "failed", "error": words}, None)
        checked = await self._record(dataset_id, _facts(report, record, kept), report)
        if path != kept:  # only now: a crash before the record finds the file where it was
            await asyncio.to_thread(path.unlink, missing_ok=True)
        return checked

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
        dataset = await self._store.read(lambda db: datasets.get(db, dataset_id))
        if not dataset.report:
            raise StartRefused("dataset", f"{dataset.title} is not checked yet.")
        chosen = self._providers.get(provider) if provider else self._providers.default
        profile = await chosen.profile()
        found = profile.base(base) if base else profile.default_base
        if found is None:
            raise StartRefused("base", f"{base or 'Nothing'} can be trained at {profile.label}.")
        return estimate(Report.from_json(dataset.report), found.info(), epochs or "auto")

    async def _default_base(self) -> BaseInfo | None:
        try:
            base = (await self._providers.default.profile()).default_base
        except ProviderError:  # the check itself needs no provider: price and limit stay unknown
            return None
        return base.info() if base else None

    def _keep(self, path: Path, sha256: str) -> Path:
        kept = self._keep_dir / f"{sha256}.jsonl"
        self._keep_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not kept.exists():
            part = kept.with_suffix(".part")
            shutil.copyfile(path, part)
            part.chmod(0o600)
            part.replace(kept)
        return kept

    async def _record(self, dataset_id: int, facts: dict[str, Any], report: Report | None) -> Dataset:
        def transaction(db: Database) -> Dataset:
            dataset = datasets.get(db, dataset_id)
            if report is not None:
                facts["version"] = datasets.next_version(db, dataset.channel, dataset.name, report.sha256)
            datasets.change(db, dataset_id, **facts)
            if report is not None and report.verdict == "accept" and self._leaves_at_once(report):
                datasets.want_upload(db, self._upload_of(report.sha256, dataset.name))
            outbox.touch(db, f"drop:{dataset_id}")
            return datasets.get(db, dataset_id)

        return await self._store.write(transaction)

    def _leaves_at_once(self, report: Report) -> bool:
        return self._upload == "at-once" and not any(p.code in HOLD for p in report.problems)

    def _upload_of(self, sha256: str, name: str) -> Upload:
        provider = self._providers.default.name
        return Upload(sha256, provider, upload_name(sha256, name), "due", self._clock())


def _facts(report: Report, record: dict[str, Any], kept: Path) -> dict[str, Any]:
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
        "report": record,
        "error": None,
    }

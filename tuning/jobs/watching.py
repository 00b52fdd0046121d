"""The watch: asks each provider about its open jobs, and each running job for its newest events.

The list of jobs gives the states, so a waiting or paused job costs nothing of its own. A running job's events
are read at its own pace, and at once when its state changed.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass

import structlog

from storage import jobs
from storage.records import Job
from storage.store import Database
from tuning.errors import ProviderError, Refused, TuningError, Unreachable
from tuning.jobs.applying import ENDED, News, apply, fail, mark
from tuning.jobs.parts import Parts
from tuning.providers import Gateway, ProviderJob

log = structlog.get_logger(__name__)

SILENT_AFTER = 3
"""Failed questions in a row after which a card says since when there is no word."""
GONE_AFTER = 3
"""Times in a row that a provider must deny a job before it counts as gone; minutes lie between the last."""
UNTOLD_AFTER = 6
"""Failed questions in a row about the events of a job that has ended, after which its end is told without."""
AT_ONCE = 8
"""Jobs of one provider asked about at the same time."""
WAITING_MAX = 60.0
_WAITING = frozenset({"validating_files", "queued", "paused"})
_KNOWN_KEPT = 300


@dataclass
class _Line:
    """How the questions to one provider went lately."""

    failures: int = 0
    quiet_until: float = 0.0


class Watch:
    """Remembers between ticks only how each provider answered; everything else is in the store."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lines: dict[str, _Line] = {}
        self._failures: dict[int, int] = {}
        """By job: questions about it alone that failed in a row."""
        self._stretch = 1.0
        """Drawn for each question to a provider: jobs that are asked about together stay together."""

    def is_due(self, provider: str, open_jobs: list[Job]) -> bool:
        """Whether to ask this provider now."""
        now = self._parts.clock()
        line = self._lines.setdefault(provider, _Line())
        return now >= line.quiet_until and any(job.poll_at <= now for job in open_jobs)

    async def ask(self, provider: str, open_jobs: list[Job]) -> None:
        """Asks one provider about these jobs and keeps what it says."""
        line = self._lines.setdefault(provider, _Line())
        try:
            gateway = self._parts.providers.get(provider).gateway
            found = await gateway.list_jobs({j.provider_job_id for j in open_jobs if j.provider_job_id})
        except ProviderError as problem:
            await self._silence(line, open_jobs, problem)
            return
        except TuningError as problem:  # the provider was taken out of the configuration
            line.quiet_until, words = self._parts.clock() + self._parts.poll_max, str(problem)
            await self._parts.store.write(lambda db: _mark_trouble(db, open_jobs, words))
            return
        line.failures, line.quiet_until = 0, 0.0
        self._stretch = random.uniform(1.0, 1.1)  # noqa: S311 - spreads load, guards nothing
        gate = asyncio.Semaphore(AT_ONCE)
        asked = (self._one(gate, gateway, job, found) for job in open_jobs)
        heard = await asyncio.gather(*asked, return_exceptions=True)
        quiet = [(job, at) for job, at in zip(open_jobs, heard, strict=True) if isinstance(at, float)]
        if quiet:
            await self._parts.store.write(lambda db: _heard(db, quiet, self._parts.clock()))
        for broken in heard:
            if isinstance(broken, BaseException):
                raise broken

    async def _silence(self, line: _Line, open_jobs: list[Job], problem: ProviderError) -> None:
        line.failures += 1
        line.quiet_until = self._parts.clock() + self._parts.backoff(line.failures, problem)
        log.warning("provider gave no word", failures=line.failures, code=problem.code, status=problem.status)
        if line.failures == SILENT_AFTER or isinstance(problem, Refused):
            await self._parts.store.write(lambda db: _mark_silent(db, open_jobs, problem))

    async def _one(
        self, gate: asyncio.Semaphore, gateway: Gateway, job: Job, found: dict[str, ProviderJob]
    ) -> float | None:
        """Takes care of one job; answers when to ask again if there was nothing to keep."""
        assert job.provider_job_id is not None
        async with gate:
            theirs = found.get(job.provider_job_id)
            if (theirs is None or job.id in self._failures) and job.poll_at > self._parts.clock():
                return None  # it rests
            try:
                theirs = theirs or await gateway.retrieve(job.provider_job_id)
                at = await self._keep(gateway, job, theirs)
            except Unreachable as problem:
                await self._unheard(job, problem)
            except Refused as problem:
                await (self._denied if problem.status == 404 else self._unheard)(job, problem)
            else:
                self._failures.pop(job.id, None)
                return at
        return None

    async def _keep(self, gateway: Gateway, job: Job, theirs: ProviderJob) -> float | None:
        parts, now = self._parts, self._parts.clock()
        if job.ended_by is not None and theirs.status not in ENDED:
            with suppress(Refused):  # called off while it was being created, and not cancelled yet
                theirs = await gateway.cancel(theirs.id)
        changed = theirs.status != job.status
        waiting = theirs.status in _WAITING
        if not changed and (waiting or job.poll_at > now):
            return now + self._waiting_pace(job, now) * self._stretch if waiting else job.poll_at
        try:
            news = await read_news(parts, gateway, job, theirs)
        except ProviderError:
            if theirs.status not in ENDED or self._failures.get(job.id, 0) < UNTOLD_AFTER:
                raise
            news = News(theirs)  # some gateways never tell events

        def record(db: Database) -> None:
            after = apply(db, job.id, news, parts.clock())
            _ask_at(db, job, parts.clock() + self._pace(after, changed, parts.clock()) * self._stretch)

        await parts.store.write(record)
        parts.wake()
        return None

    def _pace(self, job: Job, changed: bool, now: float) -> float:
        if changed or job.state == "safety":
            return self._parts.poll_min
        if job.status in _WAITING:
            return self._waiting_pace(job, now)
        return self._parts.clamp(float(job.progress.get("step_seconds") or 0.0))

    def _waiting_pace(self, job: Job, now: float) -> float:
        """A twentieth of the time waited so far, at most a minute."""
        return min(self._parts.clamp((now - job.created_at) / 20), max(WAITING_MAX, self._parts.poll_min))

    async def _unheard(self, job: Job, problem: ProviderError) -> None:
        """A question about one job failed: it is asked again later, and a refusal is shown at once."""
        failures = self._failures[job.id] = self._failures.get(job.id, 0) + 1
        at = self._parts.clock() + self._parts.backoff(failures, problem)

        def record(db: Database) -> None:
            if failures >= SILENT_AFTER or isinstance(problem, Refused):
                mark(db, job.id, trouble=str(problem))
            _ask_at(db, job, at)

        await self._parts.store.write(record)

    async def _denied(self, job: Job, problem: Refused) -> None:
        """The provider says that there is no such job: said often enough, it has ended."""
        now = self._parts.clock()

        def record(db: Database) -> None:
            missing = int(jobs.get(db, job.id).progress.get("missing", 0)) + 1
            if missing >= GONE_AFTER:
                fail(db, job.id, {"code": "gone", "message": problem.provider_words}, now)
                return
            mark(db, job.id, missing=missing)
            _ask_at(db, job, now + (self._parts.poll_min if missing == 1 else self._parts.poll_max))

        await self._parts.store.write(record)


async def read_news(parts: Parts, gateway: Gateway, job: Job, theirs: ProviderJob) -> News:
    """Events since the last known one; checkpoints when some may have come.

    Raises:
        Unreachable, Refused: the provider did not tell them.
    """
    known = await parts.store.read(lambda db: jobs.newest_event_ids(db, job.id, _KNOWN_KEPT))
    events = await gateway.newest_events(theirs.id, known)
    made = theirs.status in ENDED or any("heckpoint" in e.message for e in events)
    checkpoints = await gateway.checkpoints(theirs.id) if made else []
    return News(theirs, events, checkpoints)


def _ask_at(db: Database, job: Job, at: float) -> None:
    """Sets when to ask again, unless somebody wanted to know while ``job`` was being asked about."""
    if jobs.get(db, job.id).poll_at == job.poll_at:
        jobs.change(db, job.id, poll_at=at)


def _heard(db: Database, quiet: list[tuple[Job, float]], now: float) -> None:
    for job, poll_at in quiet:
        jobs.change(db, job.id, heard_at=now)
        _ask_at(db, job, poll_at)
        mark(db, job.id, silent=None, trouble=None, missing=None)


def _mark_silent(db: Database, open_jobs: list[Job], problem: ProviderError) -> None:
    for job in open_jobs:
        since = job.heard_at or job.created_at
        mark(db, job.id, silent=since, trouble=str(problem) if isinstance(problem, Refused) else None)


def _mark_trouble(db: Database, open_jobs: list[Job], words: str) -> None:
    for job in open_jobs:
        mark(db, job.id, trouble=words)

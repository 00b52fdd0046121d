"""The job engine: starts, uploads, creates, watches, scores and cancels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from storage import datasets, jobs
from storage.errors import NotFound
from storage.records import WATCHED_JOB_STATES, Dataset, Evaluation, Job, Upload
from storage.store import Database, Store
from tuning.clock import Clock
from tuning.errors import JobNotFound, NotCancellable
from tuning.jobs import (
    creating,
    fitting,
    following,
    planning,
    removing,
    scoring,
    start,
    steering,
    uploading,
    withdrawing,
)
from tuning.jobs.intake import Intake
from tuning.jobs.parts import Parts
from tuning.jobs.start import StartRequest
from tuning.jobs.tasks import Tasks
from tuning.jobs.watching import Watch
from tuning.providers import Profile, Providers

__all__ = ["Engine", "StartRequest"]


class Engine:
    """Advances every job; all that it knows is in the store, so it may die at any time."""

    def __init__(
        self,
        store: Store,
        providers: Providers,
        clock: Clock,
        intake: Intake,
        *,
        poll_min: float = 10.0,
        poll_max: float = 300.0,
        max_job_usd: float | None = None,
    ) -> None:
        """``max_job_usd``: a job that is estimated to cost more is refused.

        ``poll_min`` and ``poll_max``: seconds between two questions about a running job."""
        self._store = store
        self._providers = providers
        self._clock = clock
        self._intake = intake
        self._tasks = Tasks(clock)
        self._parts = Parts(store, providers, clock, poll_min, max(poll_max, poll_min), self.wake)
        self._watch = Watch(self._parts)
        self._again = False
        self._max_job_usd = max_job_usd

    async def start(self, request: StartRequest) -> Job:
        """Keeps the wish to train and answers its job (state ``sending``); an intent has one job for ever.

        Raises:
            StartRefused: a field does not fit; nothing was kept.
            DatasetError: whether the two files overlap could not be looked at.
            Unreachable: the provider's profile is not known and it does not answer.
            TuningError: the provider is not configured.
        """
        known = await self._store.read(lambda db: jobs.by_intent(db, request.intent))
        if known is not None:
            return known
        start.check_numbers(request)
        training, validation = await self._store.read(lambda db: start.check_datasets(db, request, None))
        if validation is not None:
            overlap = await self._intake.overlap(training, validation)
            fitting.refuse_overlap(overlap, allowed=request.overlap_ok)
        profile = await self._providers.get(request.provider).profile()
        chosen = await self._plan(request, profile, training)
        start.check_method(request, training, held_out=validation is not None)

        def keep(db: Database) -> Job:
            facts = chosen.suffix, chosen.base, chosen.estimate
            return start.keep(db, request, *facts, self._clock(), parent=chosen.parent)

        job = await self._store.write(keep)
        self.wake()
        return job

    async def look_over(self, request: StartRequest) -> None:
        """Refuses what can be told without asking the provider: its last known profile is enough.

        Raises:
            StartRefused: a field does not fit.
        """
        known = request.provider in self._providers.names
        profile = self._providers.get(request.provider).last_profile if known else None
        if profile is not None:
            training = await self._store.read(lambda db: datasets.get(db, request.dataset_id))
            await self._plan(request, profile, training)

    async def _plan(self, request: StartRequest, profile: Profile, training: Dataset) -> planning.Plan:
        parent = await self._store.read(lambda db: jobs.by_model(db, request.provider, request.base))
        return planning.plan(request, profile, training, parent, self._clock(), self._max_job_usd)

    async def cancel(self, job_id: int, by: str) -> Job:
        """Asks the provider to cancel; a job that was never created just ends.

        Raises:
            JobNotFound: there is no such job.
            NotCancellable: the job has ended already.
            Unreachable: the provider does not answer; nothing changed.
        """
        try:
            job = await self._store.write(lambda db: self._call_off(db, job_id, by))
        except NotFound as missing:
            raise JobNotFound(str(job_id)) from missing
        if job.state == "cancelled" or job.provider_job_id is None:
            self.wake()
            return job
        provider = self._providers.get(job.provider)
        return await creating.cancel_at_provider(self._parts, provider, job, by)

    async def pause(self, job_id: int, by: str) -> Job:
        """Pauses a job; its thread tells when it is paused.

        Raises:
            JobNotFound, NotPausable, Unreachable: see :func:`tuning.jobs.steering.steer`.
        """
        return await steering.steer(self._parts, job_id, by, resume=False)

    async def resume(self, job_id: int, by: str) -> Job:
        """Lets a paused job go on; raises as :meth:`pause`."""
        return await steering.steer(self._parts, job_id, by, resume=True)

    async def delete_model(self, job_id: int, by: str) -> Job:
        """Deletes a job's model at its provider; raises as :func:`tuning.jobs.removing.delete_model`."""
        return await removing.delete_model(self._parts, job_id, by)

    async def delete_files(self, job_id: int, by: str) -> Job:
        """Deletes a job's files at its provider; raises as :func:`tuning.jobs.withdrawing.withdraw_files`."""
        return await withdrawing.withdraw_files(self._parts, job_id, by)

    async def score(self, job_id: int) -> Job:
        """Scores a finished job whose score a person asked for; its thread tells the result.

        Raises:
            JobNotFound: there is no such job. EvaluationFailed: there is nothing to score (any more).
        """
        try:
            job = await self._store.write(lambda db: scoring.ask_for(db, job_id, self._clock()))
        except NotFound as missing:
            raise JobNotFound(str(job_id)) from missing
        self.wake()
        return job

    async def follow(self, wanted: str, channel: str, user: str) -> Job:
        """Takes up a job that was started elsewhere; raises as :func:`tuning.jobs.following.follow`."""
        return await following.follow(self._parts, wanted, channel, user)

    async def unknown_jobs(self) -> list[following.Found]:
        """The newest jobs at the providers that nobody follows here."""
        return await following.unknown_jobs(self._parts)

    def _call_off(self, db: Database, job_id: int, by: str) -> Job:
        job = jobs.get(db, job_id)
        if job.state == "sending":
            jobs.change(db, job_id, ended_by=by)
            if not job.attempts:
                creating.cancelled_unsent(db, job_id, self._clock())
            jobs.touch_card(db, job_id)
        elif job.state not in WATCHED_JOB_STATES:
            raise NotCancellable(f"{job.name} has ended already ({job.state}).")
        return jobs.get(db, job_id)

    async def look(self, job_id: int) -> None:
        """Asks about a job at once, because a person or a webhook wants to know."""
        now = self._clock()
        await self._store.write(lambda db: jobs.change(db, job_id, poll_at=now))
        self.wake()

    async def told_of(self, provider: str, provider_job_id: str) -> bool:
        """A provider says that something happened to a job: it is asked at once; nothing else is believed.

        Answers whether the job is followed here and not over.
        """
        job = await self._store.read(lambda db: jobs.by_provider_id(db, provider, provider_job_id))
        if job is None or job.state not in WATCHED_JOB_STATES:
            return False
        await self.look(job.id)
        return True

    async def tick(self) -> None:
        """Advances everything that is due, once; slow things go on as tasks of their own."""
        due = await self._store.read(_due)
        for upload in due.uploads:
            free = self._tasks.under_way("upload:") < uploading.AT_ONCE
            if free and uploading.is_due(self._parts, upload):
                key = f"upload:{upload.sha256}:{upload.provider}"
                work = partial(uploading.send, self._parts, upload.sha256, upload.provider)
                self._tasks.begin(key, work)
        for job in due.sending:
            if job.poll_at <= self._clock():
                self._tasks.begin(f"create:{job.id}", partial(creating.create, self._parts, job.id))
        for evaluation in due.evaluations:
            if scoring.is_due(self._parts, evaluation):
                work = partial(scoring.evaluate, self._parts, evaluation.job_id)
                self._tasks.begin(f"score:{evaluation.job_id}", work)
        for provider, open_jobs in due.watched.items():
            if self._watch.is_due(provider, open_jobs):
                self._tasks.begin(f"watch:{provider}", partial(self._watch.ask, provider, open_jobs))

    def wake(self) -> None:
        """Has everything looked at again at once, without waiting for it."""
        self._again = True
        self._tasks.begin("tick", self._tick_until_calm)

    async def _tick_until_calm(self) -> None:
        while self._again:
            self._again = False
            await self.tick()

    async def settle(self) -> None:
        """Waits until no task is under way."""
        await self._tasks.settle()

    async def close(self) -> None:
        """Stops the tasks; what they had not written yet is taken up at the next start."""
        await self._tasks.close()


@dataclass(frozen=True)
class _Due:
    """What may have to be done."""

    uploads: list[Upload]
    sending: list[Job]
    evaluations: list[Evaluation]
    watched: dict[str, list[Job]]


def _due(db: Database) -> _Due:
    watched: dict[str, list[Job]] = {}
    for job in jobs.in_states(db, *WATCHED_JOB_STATES):
        watched.setdefault(job.provider, []).append(job)
    return _Due(
        datasets.uploads_in(db, "due", "sending"),
        jobs.in_states(db, "sending"),
        jobs.evaluations_in(db, "due", "running"),
        watched,
    )

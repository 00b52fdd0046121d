"""The job engine: starts, uploads, creates, watches, scores and cancels."""

from __future__ import annotations

from storage.records import Job
from storage.store import Store
from tuning.clock import Clock
from tuning.jobs.intake import Intake
from tuning.jobs.start import StartRequest
from tuning.providers import Providers


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
    ) -> None: ...

    async def start(self, request: StartRequest) -> Job:
        """Keeps the wish to train and answers its job (state ``sending``); the same intent answers the same job.

        Raises:
            StartRefused: a field does not fit; nothing was kept.
            Unreachable: the provider's profile is not known and it does not answer.
        """
        raise NotImplementedError

    async def cancel(self, job_id: int, by: str) -> Job:
        """Asks the provider to cancel.

        Raises:
            NotCancellable: the job has ended already.
            Unreachable: the provider does not answer; nothing changed.
        """
        raise NotImplementedError

    async def tick(self) -> None:
        """Advances everything that is due, once; slow things go on as tasks of their own."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stops the tasks; what they had not written yet is taken up at the next start."""

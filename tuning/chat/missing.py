"""What it means when a provider does not answer with a model: loading, retired on a date, or deleted."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

from storage import jobs
from storage.chat_records import ChatThread
from storage.errors import NotFound
from storage.records import Job
from storage.store import Store
from tuning.errors import ChatError, ModelGone, ModelLoading, ProviderError
from tuning.providers import Provider
from tuning.providers.profiles import last_day

TOO_LONG = "context_length_exceeded"
"""What providers answer when the turns do not fit into a model."""
LOADING_SECONDS = 900.0
"""How long after its end a job's model may be unknown to the provider and only be loading."""


async def explain(
    store: Store, provider: Provider, thread: ChatThread, problem: ProviderError, now: float
) -> Exception:
    """The error that says it; ``problem`` itself when it is about something else."""
    if problem.code == TOO_LONG:
        return ChatError(
            f"This conversation is longer than {thread.label} can read.",
            "Begin a new thread with what matters.",
        )
    missing = problem.status == 404
    if not missing and problem.code != "timeout":
        return problem
    job = await _job(store, thread.job_id)
    if job is not None and now - (job.finished_at or now) < LOADING_SECONDS:
        return ModelLoading(f"{thread.label} is new and still being loaded.", "Try again in a minute.")
    if not missing:
        return problem
    ended = await _ended(provider, job.base if job else thread.model, now)
    if ended:
        day = date.fromisoformat(ended)
        return ModelGone(
            f"{thread.label} stopped answering: the provider retired its base on {day:%-d %B %Y}.",
            "Train the same data on another base with the verb start.",
        )
    return ModelGone(
        f"The provider no longer has {thread.label}: it was deleted there.",
        "Choose another model with the verb use.",
    )


async def _job(store: Store, job_id: int | None) -> Job | None:
    if job_id is None:
        return None
    with suppress(NotFound):
        return await store.read(lambda db: jobs.get(db, job_id))
    return None


async def _ended(provider: Provider, base: str, now: float) -> str:
    """The day (``YYYY-MM-DD``) on which a base was shut down; empty when it was not, or nobody knows.

    A provider that shut a base down no longer lists it: what was known of it beforehand counts then.
    """
    last = last_day(base)
    with suppress(ProviderError):
        found = (await provider.profile()).base(base)
        last = found.shutdown_date if found is not None else last
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    return last if last and last <= today else ""

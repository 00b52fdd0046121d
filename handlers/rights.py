"""Who may change a job, and which states a verb has something to do with."""

from __future__ import annotations

from handlers.answer import Call
from handlers.errors import BadCall
from handlers.house import House
from storage.records import OPEN_JOB_STATES, Job
from tuning.jobs.steering import PAUSABLE

JOBS_OF: dict[str, frozenset[str]] = {
    "pause": frozenset(PAUSABLE),
    "resume": frozenset({"paused"}),
    "cancel": frozenset(OPEN_JOB_STATES) - {"scoring"},
}
"""States of the jobs that a verb offers; a verb that is not here offers every job."""


def only_owner(house: House, user: str, job: Job, doing: str) -> None:
    """Refuses people who neither started the job nor run ftbot; ``doing``: ``delete it``.

    Raises:
        BadCall: the person is neither.
    """
    if user != job.owner and user not in house.admins:
        raise BadCall(
            f"Only the person who started {job.name} can {doing}.", "Ask them, or one of ftbot's admins."
        )


def may_change(call: Call, house: House, job: Job, doing: str) -> None:
    """Refuses people who neither started the job nor run ftbot.

    Raises:
        BadCall: the caller is neither.
    """
    only_owner(house, call.user, job, f"{doing} it")

"""Which job a call means."""

from __future__ import annotations

from handlers.answer import Call
from handlers.errors import BadCall
from handlers.house import House
from handlers.visible import sees
from storage import jobs
from storage.errors import NotFound
from storage.records import Job
from storage.store import Database
from tuning.errors import JobNotFound


async def find_job(call: Call, house: House) -> Job:
    """The job named in a call: ``triage-7``, or ``#12`` from a button.

    A job is known where it runs, in direct messages to the people of its channel, and to admins.

    Raises:
        BadCall: no job is named.
        JobNotFound: there is no such job, or it is none of this channel's.
    """
    wanted = call.args.split()[0] if call.args.split() else ""
    if not wanted:
        raise BadCall(
            "Which job?", f"Type {house.command} {call.verb} NAME; {house.command} jobs lists the names."
        )
    try:
        job = await house.store.read(lambda db: _find(db, wanted))
    except NotFound as problem:
        raise JobNotFound(wanted) from problem
    seen = await sees(house, call.user, job.channel, here=call.channel, is_dm=call.is_dm)
    if not seen and call.user not in house.admins:
        raise JobNotFound(wanted)
    return job


def _find(db: Database, wanted: str) -> Job:
    if wanted.startswith("#") and wanted[1:].isdecimal():
        return jobs.get(db, int(wanted[1:]))
    found = jobs.by_name(db, wanted)
    if found is None:
        raise NotFound(f"There is no job {wanted}.")
    return found

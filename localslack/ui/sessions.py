"""The Stop button of a thread where the app is at work."""

from __future__ import annotations

from localslack import sessions
from localslack.records import JSON
from localslack.ui.request import Person


async def stop(person: Person) -> JSON:
    """Ask the app to stop; ``stopped`` are the answers that were still being written."""
    channel = person.path_channel(joined=True)
    root = person.message(channel, person.request.path_params["ts"])
    return {"stopped": sessions.stop(person.world, channel, root.ts, person.user)}

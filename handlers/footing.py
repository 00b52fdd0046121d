"""What is true of a chat thread and stands under its answers, fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from handlers.house import House
from handlers.offers import profile_of
from handlers.views.chat import LAST_DAYS, Foot
from storage import chats, jobs
from storage.chat_records import ChatThread, Turn
from storage.errors import NotFound
from storage.store import Database


async def foot_of(house: House, thread: ChatThread, turns: Sequence[Turn]) -> Foot:
    """The part that does not depend on the answer: checkpoint, last day, a channel that moved on.

    ``turns``: the conversation before the answer.
    """
    foot, base = await house.store.read(lambda db: _known(db, thread, turns))
    profile = await profile_of(house, thread.provider)
    found = profile.base(base) if profile else None
    ends = _near(found.shutdown_date, house.clock()) if found and found.shutdown_date else None
    return replace(foot, ends=ends, bot=house.bot_user_id)


def _known(db: Database, thread: ChatThread, turns: Sequence[Turn]) -> tuple[Foot, str]:
    first = bool(thread.active) and not any(turn.role == "assistant" for turn in turns)
    foot = Foot(first=first, moved_to=_moved_to(db, thread, turns))
    if thread.job_id is None:
        return foot, thread.model
    try:
        job = jobs.get(db, thread.job_id)
    except NotFound:
        return foot, thread.model
    points = jobs.checkpoints_of(db, job.id)
    point = next((p for p in points if p.model == thread.model), None)
    if point is not None and thread.model != job.fine_tuned_model:
        foot = replace(foot, checkpoint=(point.number, len(points)))
    return foot, job.base


def _moved_to(db: Database, thread: ChatThread, turns: Sequence[Turn]) -> str:
    """The model the channel uses now, if that is news here: it is said once in a thread."""
    now = chats.model_of(db, thread.channel)
    if now is None or (now.provider, now.model) == (thread.provider, thread.model):
        return ""
    since = max([thread.created_at, *(turn.created_at for turn in turns if turn.role == "assistant")])
    return now.label if now.at > since else ""


def _near(ends: str, now: float) -> tuple[str, int] | None:
    try:
        days = (date.fromisoformat(ends) - datetime.fromtimestamp(now, UTC).date()).days
    except ValueError:
        return None
    return (ends, days) if days <= LAST_DAYS else None

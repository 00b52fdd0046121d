"""Surface: buttons. A card may be months old: the verbs behind them check state and rights again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from handlers import home, job_buttons, reply, trying, voting
from handlers.answer import Answer, Call, Message
from handlers.errors import BadCall
from handlers.house import House
from handlers.incoming import Incoming
from handlers.sharing import share
from handlers.verbs import dispatch, start
from handlers.views import start_form
from handlers.views.choices import ASKED, CHOICE, PICK
from handlers.visible import sees, still_in
from storage import jobs
from storage.records import InboxItem
from tuning.pictures import loss_picture

log = structlog.get_logger(__name__)

VERB_OF = {
    "start": "start",
    "use": "use",
    "cancel": "cancel",
    "jobs_show": "jobs",
    "help": "help",
    "about": "job",
    "job": "job",
    "ask": "ask",
    "pause": "pause",
    "resume": "resume",
    "compare": "compare",
    "follow": "follow",
    "settings": "settings",
    "models": "models",
}
"""Buttons that are verbs; their value is the id of a dataset or job."""


def call_of(clicked: Incoming) -> Call | None:
    """The verb call of a click, or ``None`` for one that is none."""
    named, _, detail = clicked.action.partition(":")  # buttons in a row tell apart by a number
    action = named.removesuffix(PICK)
    verb = VERB_OF.get(action)
    if verb is None:
        return None
    return Call(
        verb=verb,
        args=f"#{clicked.value}" if clicked.value.isdigit() else clicked.value,
        user=clicked.user,
        channel=clicked.channel,
        thread=clicked.thread,
        surface="action",
        trigger_id=clicked.trigger_id,
        is_dm=clicked.is_dm,
        message_ts=clicked.ts,
        chosen=detail.startswith(CHOICE) or named.endswith(PICK),
    )


def _of_question(clicked: Incoming) -> bool:
    """Whether the button belongs to a question that is good for one answer."""
    return clicked.action.partition(":")[2].startswith((ASKED, CHOICE))


async def on_action(house: House, item: InboxItem, clicked: Incoming) -> None:
    """Does what a button says; a choice in the start form shows its new price. Unknown ones do nothing."""
    if clicked.view.get("callback_id") == start_form.CALLBACK:
        channel = start_form.chosen(clicked.view).channel
        if await still_in(house, clicked.user, channel):
            await start.refresh(house, clicked.view, clicked.action)
        else:
            words = "You are not in this channel any more, or I am not."
            await start.refuse(house, str(clicked.view["id"]), channel, words)
        return
    clicked = job_buttons.unfold(clicked)
    if job_buttons.knows(clicked):
        await job_buttons.on_action(house, clicked)
        return
    if call := call_of(clicked):
        back = reply.settle if _of_question(clicked) else reply.answer
        await back(house, clicked, await dispatch(call, house))
        return
    do = OWN.get(clicked.action.partition(":")[0])
    if do is None:
        log.debug("action_without_effect", action=clicked.action)
        return
    await do(house, clicked)


async def _loss_curve(house: House, clicked: Incoming) -> None:
    """The loss so far as a picture in the job's thread."""
    job_id = _id(clicked)
    job, events, checkpoints = await house.store.read(
        lambda db: (jobs.get(db, job_id), jobs.events_of(db, job_id), jobs.checkpoints_of(db, job_id))
    )
    if not await sees(house, clicked.user, job.channel, here=clicked.channel, is_dm=clicked.is_dm):
        raise BadCall("This job belongs to another channel.")
    picture = await asyncio.to_thread(loss_picture, job, events, checkpoints)
    if picture is None:
        await reply.answer(
            house, clicked, Answer(Message("There are no figures to draw yet: ask again in a minute."))
        )
        return
    await share(
        house,
        clicked,
        channel=clicked.channel,
        thread=clicked.root,
        filename=f"{job.name}-loss.png",
        title=picture.title,
        content=picture.png,
        alt=picture.alt,
    )


def _id(clicked: Incoming) -> int:
    if not clicked.value.isdigit():
        raise BadCall("This button is too old to be understood.", "Ask for a new card with the verb jobs.")
    return int(clicked.value)


OWN: dict[str, Callable[[House, Incoming], Awaitable[None]]] = {
    "try": trying.on_try,
    "place_pick": home.open_settings,
    "loss_curve": _loss_curve,
    "feedback": voting.on_vote,
}
"""Buttons that are no verb and belong to no menu."""

"""One question to two models: asked at the same time, shown side by side."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from handlers.house import House
from handlers.incoming import Incoming
from handlers.slackapi import text_in
from handlers.streaming import patiently
from handlers.views.compare import Side, compared, waiting
from storage import inbox
from storage.chat_records import Model
from storage.records import InboxItem
from tuning.errors import TuningError

log = structlog.get_logger(__name__)


async def begin(
    house: House, channel: str, thread: str | None, user: str, models: tuple[Model, Model], question: str
) -> None:
    """Posts the question for everybody to see; the answers come into the same message in their own time."""
    said = waiting(user, question, (models[0].label, models[1].label))
    posted = await house.client.chat_postMessage(channel=channel, thread_ts=thread, **said.arguments())
    asked = Incoming(
        kind="compare",
        user=user,
        channel=channel,
        ts=text_in(posted, "ts"),
        text=question,
        view={"models": [_kept(model) for model in models]},
    )
    item = InboxItem(
        id=0,
        key=f"compare:{channel}:{asked.ts}",
        content_key=None,
        kind=asked.kind,
        payload=asked.payload(),
        received_at=house.clock(),
    )
    await house.store.write(lambda db: inbox.put(db, item))


async def on_compare(house: House, item: InboxItem, asked: Incoming) -> None:
    """Asks both and edits the message."""
    first, second = (Model(**kept) for kept in asked.view["models"])
    left, right = await asyncio.gather(_side(house, asked, first, second), _side(house, asked, second, first))
    message = compared(asked.user, asked.text, (left, right))

    async def show() -> None:
        await house.client.chat_update(channel=asked.channel, ts=asked.ts or "", **message.edit_arguments())

    await patiently(show)  # a rest that Slack asks for must not have both models asked, and paid, again


async def _side(house: House, asked: Incoming, model: Model, other: Model) -> Side:
    side = Side(model.label)
    try:
        answer = await house.chat.reply(asked.channel, model, asked.text, other)
    except TuningError as problem:
        log.warning("comparison_failed", problem=type(problem).__name__)
        return replace(side, trouble=" ".join(part for part in (str(problem), problem.todo) if part))
    return replace(side, text=answer.text, seconds=answer.seconds, tokens=answer.tokens)


def _kept(model: Model) -> dict[str, object]:
    return {"provider": model.provider, "model": model.model, "label": model.label, "job_id": model.job_id}

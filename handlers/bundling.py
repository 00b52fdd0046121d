"""Notices of one thread that are due together become one message, in their order."""

from __future__ import annotations

import json
from collections.abc import Sequence

import structlog

from handlers.answer import Block, Message
from handlers.house import House
from handlers.rendering import Rendered, render_notice
from storage import outbox
from storage.errors import StoreClosed, StoreUnusable
from storage.records import Notice

log = structlog.get_logger(__name__)

ALONE = frozenset({"job_failed"})
"""Kinds that keep a message of their own: they are shown in the channel too, and only they are."""
MOST = 12
"""Notices in one message."""
MOST_BLOCKS = 44
LONGEST = 9_000
"""Characters of blocks; Slack's own limit for a whole message is near 12,000."""


async def with_those_behind(house: House, head: Notice) -> tuple[list[Notice], Rendered]:
    """A notice with those behind it in its thread that can be said now, and the message that says them.

    One that cannot be said waits for its own turn, when its reason shows.

    Raises:
        DeliveryFailed, NotYet, NotFound: ``head`` itself cannot be said, see :func:`render_notice`.
    """
    together, parts = [head], [await render_notice(house, head)]
    if head.kind in ALONE:
        return together, parts[0]
    now = house.clock()
    for notice in await house.store.read(lambda db: outbox.behind(db, head, now, limit=MOST - 1)):
        part = None if notice.kind in ALONE else await _said(house, notice)
        if part is None or not fits([*parts, part]):
            break
        together.append(notice)
        parts.append(part)
    return together, bundle(parts)


async def _said(house: House, notice: Notice) -> Rendered | None:
    try:
        return await render_notice(house, notice)
    except (StoreClosed, StoreUnusable):
        raise
    except Exception as problem:
        log.info("notice_waits_for_its_turn", kind=notice.kind, problem=type(problem).__name__)
        return None


def fits(parts: Sequence[Rendered]) -> bool:
    """Whether these are one message that Slack takes."""
    blocks = [block for part in parts for block in part.message.blocks]
    pictures = any(part.picture for part in parts)
    size = len(json.dumps(blocks, ensure_ascii=False))
    return len(parts) == 1 or (len(blocks) + pictures <= MOST_BLOCKS and size <= LONGEST)


def bundle(parts: Sequence[Rendered]) -> Rendered:
    """One message of all; its notification line is the newest one's.

    Of several pictures only the last is kept: each shows the whole curve up to its own moment.
    """
    if len(parts) == 1:
        return parts[0]
    blocks: list[Block] = []
    picture, place = None, 0
    for part in parts:
        blocks += part.message.blocks
        if part.picture is not None:
            picture, place = part.picture, len(blocks)
    message = Message(parts[-1].message.text, blocks)
    return Rendered(message, picture, any(part.broadcast for part in parts), place if picture else None)

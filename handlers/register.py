"""Wires every surface to one Bolt app."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from handlers import about, actions, chatting, commands, comparing, files, home, mentions, modals
from handlers.catchup import CatchUp
from handlers.dataset_buttons import DatasetButtons
from handlers.house import House
from handlers.inbox import Door
from handlers.incoming import Incoming
from handlers.people import People
from handlers.worker import Handle, Worker
from storage.records import InboxItem


def register(app: AsyncApp, house: House, catchup: CatchUp | None = None) -> Worker:
    """Hangs the door into ``app`` and answers the worker behind it, to be run beside the app.

    ``catchup`` finds what was said while nobody listened, and brings it through the same door.

    The door is the only thing Bolt calls: it keeps and acknowledges, the worker does the rest.
    """
    people = People(house)
    worker = Worker(house, people)
    drops = files.Drops(house, worker.background)
    buttons = DatasetButtons(drops.begin)

    async def click(house: House, item: InboxItem, clicked: Incoming) -> None:
        on_action = buttons.on_action if buttons.knows(clicked) else actions.on_action
        await on_action(house, item, clicked)

    handlers: dict[str, Handle] = {
        "drop": drops.on_drop,
        "message": mentions.on_message,
        "chat": chatting.on_message,
        "command": commands.on_command,
        "action": click,
        "submission": modals.on_submission,
        "home": home.on_home,
        "compare": comparing.on_compare,
        "changed": chatting.on_changed,
        "stop": chatting.on_stop,
        "about": about.on_about,
    }
    worker.serve(handlers, drops.resume)
    if catchup is None:
        door = Door(house, worker, people=people)
    else:
        door = Door(house, worker, catchup.saw, people, catchup.missed)
        catchup.serve(door.take_late)

    async def keep(body: dict[str, Any]) -> BoltResponse:
        return await door.keep(body)

    app.use(keep)
    return worker

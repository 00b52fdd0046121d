"""The Home tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.answer import Block
from handlers.text import money, name, number, plural
from handlers.views.choices import searched
from handlers.views.layout import Line, actions, bold, button, code, plain, rich, small
from handlers.views.lists import job_line
from handlers.views.prices import day
from storage.records import Dataset, Job

TRIED = 5
"""Models that have a button in Home."""


@dataclass(frozen=True, slots=True)
class Mine:
    """What Home shows beside jobs: models' last days by job id, datasets, and this month's spend.

    ``usd``: what this person's jobs of this month were billed or are estimated to cost; ``chat_tokens``: what
    all chats wrote this month, ``chat_answers`` in how many answers. ``rooms``: their channels are known, so
    that settings can be chosen here.
    """

    lifetime: Mapping[int, str] = field(default_factory=dict[int, str])
    datasets: Sequence[Dataset] = ()
    rooms: bool = False
    usd: float = 0.0
    chat_tokens: int = 0
    chat_answers: int = 0


def _model_line(job: Job, now: float, mine: Mine) -> Line:
    ends = mine.lifetime.get(job.id)
    return [*job_line(job, now), f" · stops on {day(ends)}" if ends else ""]


def _rest(mine: Mine, command: str) -> list[Block]:
    """Datasets, spend, and where settings are."""
    data: list[Line] = [
        [bold(f"{name(d.name)} v{d.version}"), f" · {plural(d.examples, 'example')}"]
        for d in mine.datasets[:5]
    ]
    chat = f"{plural(mine.chat_answers, 'answer')}, {number(mine.chat_tokens)} tokens written"
    return [
        rich([bold("My datasets")], *(data or [["None dropped yet."]])),
        rich([bold("This month")], [f"Training: {money(mine.usd)} · chat of everybody: {chat}"]),
        *_settings(mine, command),
        {"type": "divider"},
    ]


def _settings(mine: Mine, command: str) -> list[Block]:
    """The settings of a channel, to be searched by its name."""
    said = rich([bold("Settings")], ["In each channel: ", code(f"{command} settings")])
    if not mine.rooms:
        return [said]
    return [said, {**actions(searched("place_pick", "Settings of a channel…")), "block_id": "place"}]


def _tries(ready: Sequence[Job]) -> list[Block]:
    """The newest models to try in direct messages."""
    if not ready:
        return []
    buttons = [button(f"Try {name(job.name, 60)}", f"try:{job.id}", str(job.id)) for job in ready[:TRIED]]
    return [actions(*buttons)]


def home(
    running: Sequence[Job], ready: Sequence[Job], now: float, command: str, mine: Mine | None = None
) -> dict[str, Any]:
    """Running jobs, the newest models with their last day, datasets, spend, settings, and how to begin."""
    mine = mine or Mine()
    blocks: list[Block] = [
        {"type": "header", "text": plain("Fine-tuning, in threads", 150)},
        rich([bold("Under way")]),
        rich(*[job_line(job, now) for job in running[:10]])
        if running
        else rich(["Nothing is training right now."]),
        {"type": "divider"},
        rich([bold("My models")]),
        rich(*[_model_line(job, now, mine) for job in ready[:10]])
        if ready
        else rich(["No model has been made yet."]),
        *_tries(ready),
        {"type": "divider"},
        *_rest(mine, command),
        rich(
            [bold("How to begin")],
            ["1. Invite me to a channel and drop a .jsonl file there."],
            ["2. Read my check, then press Start… or type ", code(f"{command} start"), "."],
            ["3. Follow the job in its thread, then talk to the model with ", code(f"{command} ask"), "."],
        ),
        small(f"{plural(len(running), 'job')} under way", f"All verbs: {command} help"),
    ]
    return {"type": "home", "blocks": blocks}

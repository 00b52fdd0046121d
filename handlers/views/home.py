"""The Home tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.answer import Block
from handlers.text import plural
from handlers.views.layout import bold, code, plain, rich, small
from handlers.views.lists import job_line
from storage.records import Job


def home(running: Sequence[Job], ready: Sequence[Job], now: float, command: str) -> dict[str, Any]:
    """Running jobs, the newest models, and how to begin."""
    blocks: list[Block] = [
        {"type": "header", "text": plain("Fine-tuning, in threads", 150)},
        rich([bold("Under way")]),
        rich(*[job_line(job, now) for job in running[:10]])
        if running
        else rich(["Nothing is training right now."]),
        {"type": "divider"},
        rich([bold("Newest models")]),
        rich(*[job_line(job, now) for job in ready[:10]]) if ready else rich(["No model has been made yet."]),
        {"type": "divider"},
        rich(
            [bold("How to begin")],
            ["1. Invite me to a channel and drop a .jsonl file there."],
            ["2. Read my check, then press Start… or type ", code(f"{command} start"), "."],
            ["3. Follow the job in its thread, then talk to the model with ", code(f"{command} ask"), "."],
        ),
        small(f"{plural(len(running), 'job')} under way", f"All verbs: {command} help"),
    ]
    return {"type": "home", "blocks": blocks}

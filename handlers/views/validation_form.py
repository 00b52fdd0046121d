"""The form behind *Add validation…*: hold out a part of the data, or take a file that was dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.text import name, plural
from handlers.views.form_values import channel_of, id_of, selected, ticked
from handlers.views.layout import bold, option, plain, rich, small
from handlers.views.overlapping import OVERLAP, overlap_tick
from handlers.views.start_form import SPLIT
from storage.records import Dataset

CALLBACK = "validation_form"
FIELD = "validation"
_CHOICES = 99


@dataclass(frozen=True, slots=True)
class ValidationWish:
    """What was chosen: ``validation_id`` is ``None`` for a split; ``overlap_ok``: rows may stand in both."""

    channel: str
    dataset_id: int
    validation_id: int | None
    overlap_ok: bool = False


def validation_form(dataset: Dataset, others: Sequence[Dataset]) -> dict[str, Any]:
    """The form for one dataset; ``others`` are those of the channel that are ready."""
    options = [option("Split off 10 %", SPLIT, "The same rows every time; repeats stay together")]
    for other in others[:_CHOICES]:
        words = f"{name(other.name, 40)} v{other.version} · {plural(other.examples, 'example')}"
        options.append(option(words, str(other.id)))
    initial = next((o for d, o in zip(others, options[1:], strict=False) if d.purpose == FIELD), options[0])
    menu = {"type": "static_select", "action_id": FIELD, "options": options, "initial_option": initial}
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Add validation", 24),
        "submit": plain("Add", 24),
        "close": plain("Not now", 24),
        "private_metadata": json.dumps({"channel": dataset.channel, "dataset": dataset.id}),
        "blocks": [
            rich(
                [
                    "Examples that ",
                    bold(name(dataset.title, 60)),
                    " is not trained on show whether it overfits.",
                ]
            ),
            {"type": "input", "block_id": FIELD, "label": plain("Take", 100), "element": menu},
            overlap_tick(),
            small("A file dropped together with a training file, and named so, is taken by itself."),
        ],
    }


def parse(view: Mapping[str, Any]) -> ValidationWish:
    """What a submitted form says."""
    about: dict[str, Any] = json.loads(view.get("private_metadata") or "{}")
    return ValidationWish(
        channel_of(view),
        int(about.get("dataset") or 0),
        id_of(selected(view, FIELD)),
        ticked(view, OVERLAP),
    )

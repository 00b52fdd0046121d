"""The form behind *Read as another format…*: a person says what the rows of a file are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.text import name
from handlers.views.dataset_words import report_of
from handlers.views.form_values import channel_of, metadata_of, selected
from handlers.views.layout import bold, option, plain, rich, small
from storage.records import Dataset
from tuning.datasets import FORMATS, likely

CALLBACK = "reading_form"
FIELD = "read_as"
UNREADABLE = frozenset({"binary_file", "html_page", "xml_file", "empty_file", "no_rows"})
"""Files that are in no format of rows."""


@dataclass(frozen=True, slots=True)
class ReadingWish:
    """What was chosen: ``read_as`` is a key of ``FORMATS``."""

    channel: str
    dataset_id: int
    read_as: str


def reading_form(dataset: Dataset) -> dict[str, Any]:
    """The form for one dataset; what the check saw is chosen at first."""
    codes = [problem.code for problem in report_of(dataset).problems] if dataset.report else []
    options = [option(one.title, one.key, one.keys) for one in FORMATS.values()]
    first = next(one for one in options if one["value"] == likely(codes))
    radio = {"type": "radio_buttons", "action_id": FIELD, "options": options, "initial_option": first}
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain("Read as another format", 24),
        "submit": plain("Read it so", 24),
        "close": plain("Not now", 24),
        "private_metadata": json.dumps({"channel": dataset.channel, "dataset": dataset.id}),
        "blocks": [
            rich(["What are the rows of ", bold(name(dataset.title, 60)), "?"]),
            {"type": "input", "block_id": FIELD, "label": plain("Each row holds", 100), "element": radio},
            small("A copy is made and checked; the card says what was changed. The original stays as it is."),
        ],
    }


def parse(view: Mapping[str, Any]) -> ReadingWish:
    """What a submitted form says."""
    chosen = selected(view, FIELD) or ""
    return ReadingWish(
        channel_of(view),
        int(metadata_of(view).get("dataset") or 0),
        chosen if chosen in FORMATS else next(iter(FORMATS)),
    )

"""What the views of a job show beside the job itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.chat_records import ChannelModel
from storage.records import Dataset


@dataclass(frozen=True, slots=True)
class JobFacts:
    """The job's dataset, how its provider is called, whether it charges.

    ``trouble``: why the job could not be sent so far. ``checkpoints``: how many there are. ``in_use``: the
    channels that answer with the model or a checkpoint of it. ``waits``: seconds that the last jobs at this
    provider were queued. ``base``: how people call the base, where its provider is known.
    """

    dataset: Dataset
    provider: str
    charges: bool = True
    trouble: str = ""
    can_pause: bool = False
    checkpoints: int = 0
    in_use: Sequence[ChannelModel] = ()
    waits: Sequence[float] = ()
    base: str = ""

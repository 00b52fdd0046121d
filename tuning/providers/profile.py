"""What a provider can do. Code asks the profile, never the provider's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tuning.datasets import BaseInfo, Limits, base_info
from tuning.datasets.limits import STANDARD

SUFFIX = r"[A-Za-z0-9_-]+"
"""What a suffix may be made of where the provider says nothing."""


@dataclass(frozen=True, slots=True)
class Base:
    """One model that can be trained on.

    ``price_per_1m``: US dollars for a million trained tokens, ``None`` when not known. ``token_limit``:
    tokens an example may have. ``encoding`` names the tokenizer; ``exact`` says whether it is the base's own.
    ``shutdown_date`` (``YYYY-MM-DD``): from then on neither the base nor its fine-tunes answer.
    ``seconds_per_1k_tokens``: measured training time on the provider's machine.
    """

    model: str
    label: str
    methods: tuple[str, ...] = ("supervised",)
    price_per_1m: float | None = None
    priced_on: str | None = None
    token_limit: int | None = None
    encoding: str | None = None
    exact: bool = False
    shutdown_date: str | None = None
    seconds_per_1k_tokens: float | None = None

    def info(self) -> BaseInfo:
        """What the dataset check needs to know of this base."""
        return BaseInfo(
            self.model,
            self.encoding,
            self.token_limit,
            self.price_per_1m,
            self.priced_on,
            exact=self.exact,
            seconds_per_1k_tokens=self.seconds_per_1k_tokens,
            serving=base_info(self.model).serving if self.price_per_1m else None,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """One provider's abilities; ``charges`` says whether training costs money there.

    ``responses``: it has the Responses API beside Chat Completions. ``integrations``: services that it can
    send a job's figures to (``wandb``). ``takes_parts``: it has the Uploads API for large files.
    """

    name: str
    label: str
    bases: tuple[Base, ...]
    suffix_max: int = 64
    suffix_pattern: str = SUFFIX
    filters_metadata: bool = False
    can_pause: bool = False
    hyperparameters: Literal["method", "top-level"] = "method"
    charges: bool = True
    responses: bool = False
    integrations: tuple[str, ...] = ()
    takes_parts: bool = False
    limits: Limits = STANDARD

    def base(self, model: str | None) -> Base | None:
        """The base with this id (or label), or ``None``."""
        return next((b for b in self.bases if model in (b.model, b.label)), None)

    @property
    def default_base(self) -> Base | None:
        """The base offered first; ``None`` when nothing can be trained there."""
        return self.bases[0] if self.bases else None

    def suffix(self, wanted: str, number: int | None = None) -> str:
        """``wanted`` made to fit: lower case, allowed characters, room left for ``-NUMBER``; may be empty."""
        ending = "" if number is None else f"-{number}"
        room = max(self.suffix_max - max(len(ending), 5), 1)
        clean = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")[:room].strip("-")
        if clean and not re.fullmatch(self.suffix_pattern, clean + ending):
            clean = clean.replace("-", "")
        return clean

"""What a provider takes at most, as far as the check can see it in a file."""

from __future__ import annotations

import msgspec

MEGABYTE = 1 << 20


class Limits(msgspec.Struct, frozen=True):
    """Limits of one provider, from its profile; the defaults are OpenAI's (files guide, vision,
    reinforcement and supervised fine-tuning guides, API description).

    ``label`` names the provider in messages. Sizes are bytes; ``max_pictures`` counts in one example,
    ``max_pictured`` examples with pictures in one file; ``max_reinforcement`` is rows to train on and rows to
    validate. ``pictures``: whether it trains on pictures at all.
    """

    label: str = "OpenAI"
    max_bytes: int = 8 << 30
    max_examples: int | None = None
    max_reinforcement: tuple[int, int] = (50_000, 1_000)
    max_pictured: int = 50_000
    max_pictures: int = 10
    picture_bytes: int = 10_000_000
    max_tools: int = 128
    pictures: bool = True

    def examples(self, reinforcement: bool, validation: bool) -> int | None:
        """The most examples in a file; None where nothing is said."""
        return self.max_reinforcement[validation] if reinforcement else self.max_examples

    def refuses(
        self, size: int, examples: int, pictured: int, *, method: str | None, validation: bool
    ) -> str:
        """Why a file as a whole is not taken, in words; empty when it is."""
        most = self.examples(method == "reinforcement", validation)
        if size > self.max_bytes:
            return f"{size_words(size)}; {self.label} takes {size_words(self.max_bytes)}"
        if most is not None and examples > most:
            return f"{examples:,} examples; {self.label} takes {most:,}"
        if pictured and not self.pictures:
            return f"{self.label} trains on text alone"
        if pictured > self.max_pictured:
            return f"{pictured:,} examples with pictures; {self.label} takes {self.max_pictured:,}"
        return ""


def size_words(size: int) -> str:
    """``512 MB``, ``8 GB``."""
    for unit, words in ((1 << 30, "GB"), (MEGABYTE, "MB"), (1 << 10, "KB")):
        if size >= unit:
            return f"{size / unit:,.1f}".removesuffix(".0") + f" {words}"
    return f"{size} bytes"


STANDARD = Limits()

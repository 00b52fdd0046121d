"""A picture of how long the examples of a file are."""

# matplotlib leaves most keyword arguments untyped.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import io
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tuning.datasets.reading import parsed_rows
from tuning.datasets.tokens import DEFAULT_ENCODING, ENCODINGS, TokenCounter
from tuning.datasets.weighing import Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BATCH = 1 << 20
_INK, _QUIET, _BAR, _LIMIT = "#1d1c1d", "#8d8d8d", "#1264a3", "#e01e5a"


@dataclass(frozen=True, slots=True)
class TokenChart:
    """``png`` bytes, a short ``title`` and the ``alt`` text for those who cannot see it."""

    png: bytes
    title: str
    alt: str


def token_chart(
    source: Path | Sequence[int], limit: int | None = None, *, name: str = "", encoding: str | None = None
) -> TokenChart | None:
    """A histogram of the tokens an example, None when there is no example.

    ``source`` is a file, or the tokens of each example; ``limit`` is drawn when examples come near it.
    Slow (seconds for a big file): call it in a thread or a worker process. Raises ``OSError``.
    """
    lengths = np.asarray(_lengths(source, encoding) if isinstance(source, Path) else source, dtype=np.int64)
    if not len(lengths):
        return None
    from matplotlib.figure import Figure  # half a second and 40 MB, only for those who want a picture

    figure = Figure(figsize=(8, 4), dpi=150, layout="constrained")
    axes = figure.subplots()
    _draw(axes, lengths, limit)
    title = f"Tokens an example{f' of {name}' if name else ''}"
    axes.set_title(title, loc="left", color=_INK, fontsize=12)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return TokenChart(out.getvalue(), title, _alt(title, lengths, limit))


def _lengths(path: Path, encoding: str | None) -> Sequence[int]:
    counter = TokenCounter(encoding if encoding in ENCODINGS else DEFAULT_ENCODING)
    counts, scale, size = array("Q"), Scale(), 0
    for line, row, canonical in parsed_rows(path):
        scale.add(line, row, None)
        size += len(canonical)
        if size > _BATCH:
            counts.extend(tokens for _, tokens in counter.add(scale.load()))
            scale, size = Scale(), 0
    counts.extend(tokens for _, tokens in counter.add(scale.load()))
    return counts


def _median_p95(lengths: NDArray[np.int64]) -> tuple[int, int]:
    ordered = np.sort(lengths)
    return int(ordered[(len(ordered) - 1) // 2]), int(ordered[-(-len(ordered) * 95 // 100) - 1])


def _draw(axes: Axes, lengths: NDArray[np.int64], limit: int | None) -> None:
    longest = int(lengths.max())
    wide = longest > 20 * max(1, int(np.median(lengths)))
    low = max(1, int(lengths.min()))
    edges = np.geomspace(low, longest + 1, 41) if wide else np.linspace(0, longest + 1, min(41, longest + 2))
    axes.hist(lengths, bins=edges.tolist(), color=_BAR, edgecolor="white", linewidth=0.4)
    if wide:
        axes.set_xscale("log")
    median, p95 = _median_p95(lengths)
    for value, words in ((median, f"median {median:,}"), (p95, f"95 % up to {p95:,}")):
        axes.axvline(value, color=_QUIET, linewidth=1, linestyle="--", label=words)
    if limit is not None and longest * 2 > limit:
        axes.axvline(limit, color=_LIMIT, linewidth=1.4, label=f"limit {limit:,}")
    axes.legend(frameon=False)
    axes.set_xlabel("tokens", color=_QUIET)
    axes.set_ylabel("examples", color=_QUIET)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _alt(title: str, lengths: NDArray[np.int64], limit: int | None) -> str:
    median, p95 = _median_p95(lengths)
    parts = [
        f"{title}: {len(lengths):,} examples, from {int(lengths.min()):,} to {int(lengths.max()):,} tokens",
        f"half of them up to {median:,}, 95 % up to {p95:,}",
    ]
    if limit is not None:
        over = int((lengths > limit).sum())
        parts.append(
            f"{over:,} are over the limit of {limit:,}" if over else f"none is over the limit of {limit:,}"
        )
    return "; ".join(parts) + "."

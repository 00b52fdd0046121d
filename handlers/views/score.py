"""*Score on validation rows* in words, honest about how much so few rows can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from handlers.text import name, plural
from handlers.views.layout import Line, Part, bold
from storage.records import Checkpoint, Evaluation

ROUNDING = 0.02
"""A rise in loss below this is noise at the precision that is shown."""
Z = 1.96
"""95 % of the normal distribution lies within this many standard deviations."""


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson interval of a share (E. B. Wilson 1927)."""
    if total <= 0:
        return 0.0, 1.0
    share, square = right / total, Z * Z
    middle = share + square / (2 * total)
    half = Z * sqrt(share * (1 - share) / total + square / (4 * total * total))
    scale = 1 + square / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def difference(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """The 95 % interval of second minus first, each (right, total): Newcombe 1998, method 10."""
    share_a, share_b = (right / max(total, 1) for right, total in (first, second))
    low_a, high_a = wilson(*first)
    low_b, high_b = wilson(*second)
    gap = share_b - share_a
    low = gap - sqrt((share_b - low_b) ** 2 + (high_a - share_a) ** 2)
    high = gap + sqrt((high_b - share_b) ** 2 + (share_a - low_a) ** 2)
    return low, high


def verdict(base: tuple[int, int], tuned: tuple[int, int]) -> str:
    """Base and tuned model compared in one sentence, ``(right, total)`` each."""
    gap = tuned[0] - base[0]
    if gap == 0:
        return "Both get the same number right."
    low, high = difference(base, tuned)
    if low > 0:
        return "Better than the base."
    if high < 0:
        return "Worse than the base: look at the data before using it."
    return f"{abs(gap)} {'more' if gap > 0 else 'fewer'} than the base is too few rows to be sure."


def score_lines(evaluation: Evaluation | None) -> list[Line]:
    """The lines of the finished notice; nothing when there was no validation file."""
    if evaluation is None:
        return []
    if evaluation.state == "failed":
        why = name(evaluation.error or "the provider gave no answers", 200)
        return [["The score on your validation rows could not be worked out: ", why]]
    scores = [score for score in evaluation.scores if _whole(score)]
    if not scores:
        return []
    exact = all("right" in score for score in scores)
    counted = "exact answers" if exact else "likeness to the reference answers (rapidfuzz ratio, 0 to 100)"
    rows = plural(int(scores[0]["total"]), "validation row")
    words: list[str | Part] = [bold(f"Score: {counted} on your {rows}: ")]
    for index, score in enumerate(scores):
        label = "base" if index == 0 and len(scores) > 1 else name(str(score["label"]), 40)
        said = f"{label} {int(score['right']) if exact else format(float(score['mean']), '.0f')}"
        words += [" · " if index else "", bold(said) if index == len(scores) - 1 else said]
    lines: list[Line] = [words]
    if len(scores) > 1:
        lines.append([_verdict(scores[0], scores[-1], exact=exact)])
    return lines


def _verdict(base: Mapping[str, Any], tuned: Mapping[str, Any], *, exact: bool) -> str:
    if exact:
        return verdict((int(base["right"]), int(base["total"])), (int(tuned["right"]), int(tuned["total"])))
    return likeness_verdict([float(row) for row in base["rows"]], [float(row) for row in tuned["rows"]])


def likeness_verdict(base: Sequence[float], tuned: Sequence[float]) -> str:
    """Two models' likeness row by row compared in one sentence: the 95 % interval of the mean difference."""
    gaps = [second - first for first, second in zip(base, tuned, strict=True)]
    gap = fmean(gaps)
    half = Z * stdev(gaps) / sqrt(len(gaps)) if len(gaps) > 1 else float("inf")
    if gap - half > 0:
        return "Nearer to the reference answers than the base."
    if gap + half < 0:
        return "Further from the reference answers than the base: look at the data before using it."
    return "The difference from the base is too small on so few rows to be sure."


def _whole(score: dict[str, Any]) -> bool:
    figures = "right" in score or ("mean" in score and "rows" in score)
    return figures and "label" in score and "total" in score


def loss_of(metrics: Mapping[str, Any], which: str) -> float | None:
    """``train`` or ``valid`` loss under any name that providers use; the full validation loss first."""
    for key in (f"full_{which}_loss", f"{which}_loss", "eval_loss" if which == "valid" else "loss"):
        value = metrics.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def best_sentence(by_epoch: Sequence[Mapping[str, Any]], checkpoints: Sequence[Checkpoint]) -> Line:
    """Validation loss over the epochs (else checkpoints), which is best, and whether overfitting shows."""
    word, known = _losses(by_epoch, checkpoints)
    if not known:
        return []
    best, best_loss = min(known, key=lambda pair: pair[1])
    trail: list[str | Part] = [f"Validation loss by {word} "]
    for index, (number, loss) in enumerate(known):
        trail += [" → " if index else "", bold(f"{loss:.2f}") if number == best else f"{loss:.2f}"]
    if len(known) < 2:
        return [*trail, f": one {word} is too few to tell about overfitting"]
    last, last_loss = known[-1]
    if best == last:
        return [*trail, f": {word} {best} is best, no overfitting seen"]
    if last_loss - best_loss <= max(best_loss * 0.02, ROUNDING):
        return [*trail, f": {word} {best} is best, hardly different from the last"]
    found = _checkpoint(best, word, by_epoch, checkpoints)
    better = f" Checkpoint {found.number} may answer better." if found else ""
    return [*trail, f": {word} {best} is best, then it rises: overfitting.{better}"]


def _losses(
    by_epoch: Sequence[Mapping[str, Any]], checkpoints: Sequence[Checkpoint]
) -> tuple[str, list[tuple[int, float]]]:
    epochs = [(int(e["epoch"]), float(e["valid_loss"])) for e in by_epoch if e.get("valid_loss") is not None]
    if epochs:
        return "epoch", epochs
    points = [(point.number, loss_of(point.metrics, "valid")) for point in checkpoints]
    return "checkpoint", [(number, loss) for number, loss in points if loss is not None]


def _checkpoint(
    best: int, word: str, by_epoch: Sequence[Mapping[str, Any]], checkpoints: Sequence[Checkpoint]
) -> Checkpoint | None:
    """The checkpoint of the best epoch, if the provider kept it."""
    if word == "checkpoint":
        return next(point for point in checkpoints if point.number == best)
    step = next((epoch.get("step") for epoch in by_epoch if epoch["epoch"] == best), None)
    return next((point for point in checkpoints if point.step == step), None)

"""*Score on validation rows* in words, honest about how much so few rows can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from handlers.text import money, name, plural
from handlers.views.layout import Line, Part, bold
from storage.records import Checkpoint, Evaluation
from tuning.jobs.scoring import ScoreOffer

ROUNDING = 0.02
"""A rise in loss below this is noise at the precision that is shown."""
FEW = 3
"""With fewer epochs or checkpoints than this, calling one the best says little."""
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


def verdict(base: tuple[int, int], tuned: tuple[int, int], than: str = "the base") -> str:
    """Another and the tuned model compared in a few words, ``(right, total)`` each."""
    gap = tuned[0] - base[0]
    if gap == 0:
        return f"as many right as {than}"
    low, high = difference(base, tuned)
    if low > 0:
        return f"better than {than}"
    if high < 0:
        return f"worse than {than}: look at the data before using it"
    return f"{abs(gap)} {'more' if gap > 0 else 'fewer'} than {than} is too few rows to be sure"


def likeness_verdict(base: Sequence[float], tuned: Sequence[float], than: str = "the base") -> str:
    """Two models' likeness row by row compared: the 95 % interval of the mean difference."""
    gap, half = _mean([second - first for first, second in zip(base, tuned, strict=True)])
    if gap - half > 0:
        return f"nearer to the reference answers than {than}"
    if gap + half < 0:
        return f"further from the reference answers than {than}: look at the data before using it"
    return f"too little different from {than}, on so few rows, to be sure"


def score_lines(evaluation: Evaluation | None) -> list[Line]:
    """The lines of the finished notice; nothing when there was no validation file, or no score yet."""
    if evaluation is None or evaluation.state == "asked":
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
        said = f"{_label(scores, index)} {_figure(score, exact=exact)}"
        words += [" · " if index else "", bold(said) if index == len(scores) - 1 else said]
    lines: list[Line] = [words]
    if len(scores) > 1:
        lines.append([_verdicts(scores, exact=exact)])
    return [*lines, [_interval(scores[-1], exact=exact)]]


def score_offer_line(offer: ScoreOffer, provider: str) -> Line:
    """What a score would take, where it costs: nothing is asked before a person says so."""
    cost = at_most(offer.usd) or "price unknown"
    asked = f"{plural(offer.rows, 'row')} × {offer.models} models"
    words = f"not asked yet, because {name(provider, 40)} bills answers: {asked}, {cost}."
    return [bold("Score on your validation rows: "), words]


def at_most(usd: float | None) -> str:
    """``$0.03 at most``; empty when the price is not known."""
    if usd is None:
        return ""
    return money(usd) if usd < 0.01 else f"{money(usd)} at most"


def _label(scores: Sequence[Mapping[str, Any]], index: int) -> str:
    return "base" if index == 0 and len(scores) > 1 else name(str(scores[index]["label"]), 40)


def _figure(score: Mapping[str, Any], *, exact: bool) -> str:
    return str(int(score["right"])) if exact else format(float(score["mean"]), ".0f")


def _verdicts(scores: Sequence[Mapping[str, Any]], *, exact: bool) -> str:
    """The new model beside each of the others: ``Better than the base; …``."""
    tuned = scores[-1]
    said: list[str] = []
    for index, other in enumerate(scores[:-1]):
        than = "the base" if index == 0 else _label(scores, index)
        if exact:
            pair = [(int(one["right"]), int(one["total"])) for one in (other, tuned)]
            said.append(verdict(pair[0], pair[1], than))
        else:
            rows = [[float(row) for row in one["rows"]] for one in (other, tuned)]
            said.append(likeness_verdict(rows[0], rows[1], than))
    words = "; ".join(said)
    return f"{words[:1].upper()}{words[1:]}."


def _interval(score: Mapping[str, Any], *, exact: bool) -> str:
    """How sure the figure is: what to expect on more rows of this kind."""
    label = name(str(score["label"]), 40)
    if exact:
        low, high = wilson(int(score["right"]), int(score["total"]))
        return f"On many such rows {label} would get {low * 100:.0f}–{high:.0%} right (95% interval)."
    mean, half = _mean([float(row) for row in score["rows"]])
    low, high = max(0.0, mean - half), min(100.0, mean + half)
    return f"On many such rows {label} would be at {low:.0f}–{high:.0f} (95% interval)."


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """The mean and half of its 95 % interval."""
    if not values:
        return 0.0, float("inf")
    return fmean(values), Z * stdev(values) / sqrt(len(values)) if len(values) > 1 else float("inf")


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


def accuracy_of(metrics: Mapping[str, Any]) -> float | None:
    """The share of right tokens, on validation rows where it is known."""
    for key in (
        "full_valid_mean_token_accuracy",
        "valid_mean_token_accuracy",
        "train_mean_token_accuracy",
        "token_accuracy",
    ):
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
    if len(known) < FEW:
        few = f"one {word} is" if len(known) == 1 else f"{len(known)} {word}s are"
        return [*trail, f": {few} too few to tell about overfitting"]
    last, last_loss = known[-1]
    if best == last:
        return [*trail, f": {word} {best} is best, no overfitting seen"]
    if last_loss - best_loss <= max(best_loss * 0.02, ROUNDING):
        return [*trail, f": {word} {best} is best, hardly different from the last"]
    found = _checkpoint(best, word, by_epoch, checkpoints)
    kept = f"Checkpoint {found.number} may answer better." if found else "Its checkpoint was not kept."
    better = f" {kept}"
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

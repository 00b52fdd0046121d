"""A step's numbers in OpenAI's names: event data, event message, checkpoint metrics, result file."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping, Sequence

KINDS = ("train", "valid", "full_valid")
NUMBERS = {
    "supervised": ("loss", "mean_token_accuracy"),
    "dpo": ("loss", "mean_reward_accuracy", "mean_reward_margin"),
}
WORDS = {
    "train_loss": "training loss",
    "valid_loss": "validation loss",
    "full_valid_loss": "full validation loss",
}

Metrics = dict[str, float]


def of_step(step: int, total: int, **kinds: Mapping[str, float] | None) -> Metrics:
    """`data` of a metrics event. `kinds` are `train`, `valid` and `full_valid`, the last two when measured.

    Where only the whole file was measured, its numbers stand for the sample's too.
    """
    metrics: Metrics = {"step": step, "total_steps": total}
    if kinds.get("valid") is None:
        kinds["valid"] = kinds.get("full_valid")
    for kind in KINDS:
        for name, number in (kinds.get(kind) or {}).items():
            metrics[f"{kind}_{name}"] = round(number, 6)
    return metrics


def message(metrics: Mapping[str, float]) -> str:
    """The sentence that goes with a metrics event."""
    told = [f"{words}={metrics[key]:.2f}" for key, words in WORDS.items() if key in metrics]
    return f"Step {metrics['step']}/{metrics['total_steps']}: {', '.join(told)}"


def result_file(history: Sequence[Mapping[str, float]], method: str = "supervised") -> bytes:
    """The result file: a CSV, base64-encoded as OpenAI's newer ones are."""
    columns = ["step", *(f"{kind}_{name}" for kind in KINDS for name in NUMBERS[method])]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return base64.b64encode(text.getvalue().encode())

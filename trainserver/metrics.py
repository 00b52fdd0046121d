"""A step's numbers in OpenAI's names: event data, event message, checkpoint metrics, result file."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence

COLUMNS: tuple[str, ...] = (
    "step",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)

Metrics = dict[str, float]


def of_step(
    step: int,
    total: int,
    loss: float,
    accuracy: float,
    valid_loss: float | None,
    valid_accuracy: float | None,
) -> Metrics:
    """`data` of a metrics event. Validation is always on the whole file, so both kinds of it are equal."""
    metrics: Metrics = {
        "step": step,
        "total_steps": total,
        "train_loss": round(loss, 6),
        "train_mean_token_accuracy": round(accuracy, 6),
    }
    if valid_loss is not None and valid_accuracy is not None:
        metrics["valid_loss"] = metrics["full_valid_loss"] = round(valid_loss, 6)
        metrics["valid_mean_token_accuracy"] = metrics["full_valid_mean_token_accuracy"] = round(
            valid_accuracy, 6
        )
    return metrics


def message(metrics: Metrics) -> str:
    """The sentence that goes with a metrics event."""
    text = f"Step {metrics['step']}/{metrics['total_steps']}: training loss={metrics['train_loss']:.2f}"
    if "valid_loss" in metrics:
        text += f", validation loss={metrics['valid_loss']:.2f}"
        text += f", full validation loss={metrics['full_valid_loss']:.2f}"
    return text


def result_file(history: Sequence[Metrics]) -> bytes:
    """The result file: a CSV, base64-encoded as OpenAI's newer ones are."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return base64.b64encode(text.getvalue().encode())

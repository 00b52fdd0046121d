"""The files the person drops: the examples that travel with ftbot, or the person's own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from demo.errors import BadInput

SEED = 7
HELD_OUT = 5
"""One row in so many is held out for validation when no validation file is given."""
MAX_HELD_OUT = 50
"""More validation rows than the score looks at would only cost time."""
MIN_TRAINING_ROWS = 10
CHARACTERS_PER_TOKEN = 4
TRAIN_SECONDS = 120
TOKENS_PER_SECOND = 100
"""A careful figure for LoRA on the default base on two cores (docs/how-to/self-hosted-trainer.md)."""
EPOCHS = 3


@dataclass(frozen=True)
class Files:
    """What is dropped; ``notes`` say what was done to the person's file; ``name`` begins the model's name."""

    broken: Path
    training: Path
    validation: Path
    name: str
    notes: tuple[str, ...] = ()


def example(name: str) -> Path:
    """An example file that travels with ftbot.

    Raises:
        BadInput: it is not part of this installation.
    """
    home = Path(__file__).resolve().parent.parent
    for place in (home / "ftbot_data" / "examples" / name, home / "examples" / name):
        if place.is_file():
            return place
    raise BadInput(f"examples/{name} is missing from this installation.")


def prepare(data: Path | None, validation: Path | None, folder: Path) -> Files:
    """The files for this run; ``folder`` takes what has to be written.

    Raises:
        BadInput: a file is missing or has too few rows.
    """
    broken = example("broken.jsonl")
    if data is None:
        if validation is not None:
            raise BadInput("--validation goes with --data.")
        return Files(broken, example("triage.jsonl"), example("triage-validation.jsonl"), "triage")
    rows = _rows(data)
    held = _rows(validation) if validation is not None else None
    notes: list[str] = []
    if held is None:
        rows, held = _hold_out(rows)
        notes.append(f"held out {len(held)} of {len(rows) + len(held)} rows for validation (seed {SEED})")
    rows = _sample(rows, notes)
    if len(rows) < MIN_TRAINING_ROWS:
        raise BadInput(
            f"{data} leaves {len(rows)} rows to train on; at least {MIN_TRAINING_ROWS} are needed."
        )
    training_path = folder / data.name
    validation_path = folder / (validation.name if validation else f"{data.stem}-validation.jsonl")
    training_path.write_text("\n".join(rows) + "\n", "utf-8")
    validation_path.write_text("\n".join(held) + "\n", "utf-8")
    return Files(broken, training_path, validation_path, _model_name(data.stem), tuple(notes))


def _rows(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"{path} cannot be read as UTF-8 text: {problem}.") from problem
    return [line for line in text.split("\n") if line.strip()]


def _hold_out(rows: list[str]) -> tuple[list[str], list[str]]:
    count = min(MAX_HELD_OUT, max(1, len(rows) // HELD_OUT))
    chosen = set(random.Random(SEED).sample(range(len(rows)), min(count, len(rows))))  # noqa: S311
    return (
        [row for i, row in enumerate(rows) if i not in chosen],
        [row for i, row in enumerate(rows) if i in chosen],
    )


def _sample(rows: list[str], notes: list[str]) -> list[str]:
    budget = TRAIN_SECONDS * TOKENS_PER_SECOND * CHARACTERS_PER_TOKEN // EPOCHS
    if sum(map(len, rows)) <= budget:
        return rows
    order = list(range(len(rows)))
    random.Random(SEED).shuffle(order)  # noqa: S311
    kept: set[int] = set()
    used = 0
    for i in order:
        if used + len(rows[i]) > budget and len(kept) >= MIN_TRAINING_ROWS:
            continue
        kept.add(i)
        used += len(rows[i])
    notes.append(
        f"sampled {len(kept)} of {len(rows)} training rows (seed {SEED}), about two minutes of training"
    )
    return [row for i, row in enumerate(rows) if i in kept]


def _model_name(stem: str) -> str:
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in stem.lower()).strip("-")
    return name[:30] or "model"

"""What ``ftbot check`` writes beside its report: a repaired, a redacted, a split copy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from tuning.datasets import LineMap, Redaction, Repair, redact, repair, split


@dataclass(slots=True)
class Made:
    """The repaired copy and its line map, sentences about all copies, and the same for ``--json``."""

    repaired: Path | None = None
    lines: LineMap | None = None
    words: list[str] = field(default_factory=list[str])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def derive(
    file: Path,
    repaired: Path | None,
    redacted: Path | None,
    halves: tuple[Path, Path] | None,
    read_as: str | None = None,
) -> Made:
    """Write the copies that were asked for; each is made of the one before. ``file`` is only read.

    Raises ``click.UsageError`` when a copy would overwrite what it is made from.
    """
    made = Made()
    try:
        if repaired is not None:
            _repaired(made, repair(file, repaired, read_as=read_as), repaired)
        source = repaired or file
        if redacted is not None:
            _redacted(made, redact(source, redacted), redacted)
        if halves:
            result = split(redacted or source, *halves)
            made.facts["split"] = {"train_rows": result.train_rows, "valid_rows": result.valid_rows}
            made.words.append(
                f"Split: {result.train_rows:,} rows to {halves[0]}, {result.valid_rows:,} to {halves[1]}."
            )
    except ValueError as refused:
        raise click.UsageError(str(refused)) from refused
    return made


def _repaired(made: Made, result: Repair, out: Path) -> None:
    made.repaired, made.lines = out, result.lines
    made.facts["repair"] = [{**dataclasses.asdict(c), "lines": list(c.lines)} for c in result.changes]
    if not result.changes:
        made.words.append(f"Repaired: nothing to change; {out} holds the same rows.")
        return
    made.words.append(f"Repaired to {out}:")
    for change in result.changes:
        lines = ", ".join(f"{line:,}" for line in change.lines[:6])
        more = f" +{change.count - 6:,}" if change.count > 6 and change.lines else ""
        where = f" · {'line' if change.count == 1 else 'lines'} {lines}{more}" if change.lines else ""
        count = f"{change.count:,} × " if change.lines else ""
        made.words.append(f"  {count}{change.message}{where}")


def _redacted(made: Made, result: Redaction, out: Path) -> None:
    made.facts["redact"] = {"counts": dict(result.counts), "rows_changed": result.rows_changed}
    total = sum(result.counts.values())
    values = "1 private value" if total == 1 else f"{total:,} private values"
    made.words.append(f"Redacted to {out}: {values} replaced by placeholders.")

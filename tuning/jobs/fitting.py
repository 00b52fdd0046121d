"""Whether training and validation data fit each other, and the provider."""

from __future__ import annotations

from storage.records import Dataset, Overlap
from tuning.datasets import Limits, Report
from tuning.datasets.columns import differ
from tuning.errors import StartRefused


def refuse_overlap(overlap: Overlap | None, *, allowed: bool = False) -> None:
    """Refuses validation rows that are training rows too: scores on them would tell nothing.

    ``allowed``: a person lets it stand, now; what somebody let stand before is not asked again.
    """
    if overlap is None or not overlap.rows or overlap.allowed_by or allowed:
        return
    lines = ", ".join(f"{line:,}" for line in overlap.lines[:3])
    more = f" +{overlap.rows - 3:,}" if overlap.rows > 3 else ""
    near = " or nearly so" if overlap.near else ""
    one = overlap.rows == 1
    raise StartRefused(
        "validation",
        f"{overlap.rows:,} {'row is' if one else 'rows are'} also in the training data{near}:"
        f" {'line' if one else 'lines'} {lines}{more}.",
        "Take other rows, or none; or tick that it stays so, on your word.",
    )


def refuse_columns(training: Dataset, validation: Dataset) -> None:
    """Refuses reinforcement rows without the columns that the grader reads (OpenAI's guide to it)."""
    if training.method != "reinforcement":
        return
    gap = differ(training.report.get("columns") or {}, validation.report.get("columns") or {})
    if gap:
        words = gap.replace("`", "")
        raise StartRefused(
            "validation",
            f"The validation rows have other columns than the training rows ({words}).",
            "The grader reads them by name: give both files the same.",
        )


def refuse_size(limits: Limits, dataset: Dataset) -> None:
    """Refuses a file that is more than the provider takes."""
    if not dataset.report:
        return
    report = Report.from_json(dataset.report)
    validation = dataset.purpose == "validation"
    facts = (report.bytes, report.examples, report.pictured)
    if why := limits.refuses(*facts, method=report.method, validation=validation):
        raise StartRefused(
            "validation" if validation else "base",
            f"{dataset.title} does not fit there: {why}.",
            "Choose another provider, or make the file smaller.",
        )

"""What worker processes do with files: plain values in, plain values out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tuning.datasets import (
    BaseInfo,
    LineMap,
    Report,
    check_file,
    difference,
    examine,
    leave_out,
    pick,
    redact,
    repair,
    repairable,
    split,
    token_chart,
    write_csv_report,
)
from tuning.jobs.shelf import unpacked
from tuning.pictures import Picture

Json = dict[str, Any]
Progress = Callable[[int, int], None]

LINES_SHOWN = 100
_EVERY = 0.5


def run_check(path: Path, name: str, base: BaseInfo | None, validation: bool, news: Path | None) -> Json:
    """The first look: rules, encoding, exact duplicates, tokens. Answers the report's record."""
    more: Json = {"progress": _teller(news)} if news else {}
    return check_file(path, name=name, base=base, validation=validation, **more).to_record()


def run_examine(path: Path, record: Json, lines: Path | None) -> Json:
    """The second look, quality and privacy: the whole report's record.

    ``lines`` is the line map of a derived file: its report names lines as they were dropped already.
    """
    report = Report.from_json(record)
    if lines is None:
        return examine(path, report).to_record()
    seen = examine(path, dataclasses.replace(report, problems=()))
    found = mapped(seen, lines)
    problems = sorted([*report.problems, *found.problems], key=lambda p: (p.severity != "error", -p.count))
    verdict = "reject" if any(p.severity == "error" for p in problems) else "accept"
    return dataclasses.replace(found, problems=tuple(problems), verdict=verdict).to_record()


def run_fixable(record: Json) -> int:
    """How many rows a repair can put right."""
    return repairable(Report.from_json(record))


def mapped(report: Report, lines: Path) -> Report:
    """A derived file's report with the lines of the file as it was dropped."""
    return _map(lines).report(report)


def run_repair(
    source: Path, out: Path, lines: Path, earlier: Path | None, *, read_as: str | None = None
) -> list[Json]:
    """Writes a repaired copy with its line map; answers what was changed."""
    with unpacked(source) as plain:
        made = repair(plain, out, read_as=read_as)
    _keep_map(made.lines, lines, earlier)
    return [_change(change.message, change.count, change.lines) for change in made.changes]


def run_redact(source: Path, out: Path, lines: Path, earlier: Path | None) -> list[Json]:
    """Writes a redacted copy with its line map; answers what was replaced."""
    with unpacked(source) as plain:
        made = redact(plain, out)
    _keep_map(made.lines, lines, earlier)
    return [_change(code, count, ()) for code, count in made.counts.items() if count]


def run_omit(
    source: Path, out: Path, lines: Path, earlier: Path | None, *, rows: Sequence[int] = ()
) -> list[Json]:
    """Writes a copy without these lines of the source, with its line map; answers what was left out."""
    with unpacked(source) as plain:
        made = leave_out(plain, out, rows)
    _keep_map(made.lines, lines, earlier)
    known = _map(earlier) if earlier else None
    dropped = [known.dropped(line) if known else line for line in made.left_out]
    return [omitted(rows, dropped)]


def omitted(rows: Sequence[int], dropped: Sequence[int] = ()) -> Json:
    """What an omission changes: the lines of its source to leave out; those left out, as dropped."""
    return _change("rows left out", len(dropped), tuple(dropped)) | {"rows": list(rows)}


def run_rows(source: Path, rows: Sequence[int], limit: int) -> list[tuple[int, str]]:
    """What these lines of a kept file say, each within ``limit`` characters."""
    with unpacked(source) as plain:
        return pick(plain, rows, limit)


def run_split(source: Path, out: Path, lines: Path, earlier: Path | None, *, validation: bool) -> list[Json]:
    """Writes one of the two parts of a split (the same ones every time) with its line map."""
    other = out.with_suffix(".other")
    try:
        with unpacked(source) as plain:
            made = split(plain, *((other, out) if validation else (out, other)))
    finally:
        other.unlink(missing_ok=True)
    _keep_map(made.valid_lines if validation else made.train_lines, lines, earlier)
    return [
        _change(
            "held out" if validation else "kept",
            len(made.valid_lines if validation else made.train_lines),
            (),
        )
    ]


def run_difference(old: Path, new: Path, tokens: tuple[int, int]) -> Json:
    """What changed from one content to another."""
    with unpacked(old) as before, unpacked(new) as after:
        found = difference(before, after, tokens=tokens)
    return {
        "added": found.added,
        "removed": found.removed,
        "changed": found.changed,
        "tokens": found.tokens_delta,
    }


def run_overlap(training: Path, validation: Path, record: Json, lines: Path | None) -> Json:
    """Rows of the validation file that the training file holds too, exactly or nearly."""
    found: dict[int, str] = {}

    def note(line: int, code: str, detail: str) -> None:
        if "overlap" in code:
            found.setdefault(line, code)

    with unpacked(training) as train, unpacked(validation) as valid:
        check_file(valid, validation=True, against=train, sink=note)
        examine(valid, Report.from_json(record), against=train, sink=note)
    exact = sum(code == "validation_overlap" for code in found.values())
    first = sorted(found)[:LINES_SHOWN]
    if lines is not None:
        first = [_map(lines).dropped(line) for line in first]
    return {"exact": exact, "near": len(found) - exact, "lines": first}


def run_table(
    source: Path, record: Json, base: BaseInfo | None, validation: bool, lines: Path | None, out: Path
) -> None:
    """Writes the full report as a table that names every line of the file as it was dropped."""
    with unpacked(source) as plain:
        write_csv_report(
            out,
            Report.from_json(record),
            plain,
            lines=_map(lines) if lines else None,
            base=base,
            validation=validation,
        )


def run_chart(source: Path, name: str, limit: int | None, encoding: str | None) -> Picture | None:
    """A picture of how long the examples are."""
    with unpacked(source) as plain:
        chart = token_chart(plain, limit, name=name, encoding=encoding)
    return Picture(chart.png, chart.title, chart.alt) if chart else None


def _change(message: str, count: int, lines: tuple[int, ...]) -> Json:
    return {"message": message, "count": count, "lines": list(lines[:LINES_SHOWN])}


def _map(path: Path) -> LineMap:
    return LineMap.from_bytes(path.read_bytes())


def _keep_map(lines: LineMap, path: Path, earlier: Path | None) -> None:
    whole = lines.after(_map(earlier) if earlier else None)
    path.touch(mode=0o600)
    path.write_bytes(whole.to_bytes())


def _teller(news: Path) -> Progress:
    """Writes the share of the bytes done into a small file, now and then; the event loop reads it."""
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY:
            last = now
            news.write_text(f"{done / max(total, 1):.3f}")

    return tell

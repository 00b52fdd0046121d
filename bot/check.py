"""``ftbot check``: the dataset check alone, on a terminal or as JSON."""

from __future__ import annotations

import dataclasses
import getpass
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from bot.derive import Made, derive
from bot.reporting import print_report
from tuning.datasets import (
    FORMATS,
    OVERLAPS,
    BaseInfo,
    Problem,
    Report,
    allow_overlap,
    base_info,
    check_file,
    estimate,
    examine,
    write_csv_report,
)

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_OUT = click.Path(dir_okay=False, writable=True, path_type=Path)
_LARGE = 20 << 20
Epochs = int | Literal["auto"]


class _EpochsType(click.ParamType[Epochs]):
    """``auto`` or a whole number from 1 to 50 (OpenAI API reference, n_epochs)."""

    name = "auto|1-50"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Epochs:
        if value == "auto":
            return "auto"
        return click.IntRange(1, 50).convert(value, param, ctx)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--validation", type=_FILE, help="Check this validation file too; it must not overlap FILE.")
@click.option(
    "--method",
    type=click.Choice(["supervised", "dpo", "reinforcement"]),
    help="What the file is for; told from its rows when left out.",
)
@click.option("--model", help="The base to train, for tokens, limit and price: gpt-4.1-mini.")
@click.option(
    "--epochs", type=_EpochsType(), default="auto", show_default=True, help="How often each row is seen."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option("--report", "table", type=_OUT, metavar="CSV", help="Write a table that names every line.")
@click.option("--repair", "repaired", type=_OUT, metavar="OUT", help="Write a repaired copy and check that.")
@click.option(
    "--read-as",
    type=click.Choice(list(FORMATS)),
    help="What the rows of FILE are, for --repair: said by you, not guessed.",
)
@click.option("--redact", "redacted", type=_OUT, metavar="OUT", help="Write a copy without private values.")
@click.option(
    "--split",
    "halves",
    type=_OUT,
    nargs=2,
    metavar="TRAIN VALID",
    help="Write two files, a tenth held out for validation; like rows stay together.",
)
@click.option(
    "--allow-overlap",
    "overlap_ok",
    is_flag=True,
    help="Rows may stand in both files; your name goes into the report.",
)
@click.pass_context
def check(
    ctx: click.Context,
    file: Path,
    validation: Path | None,
    method: str | None,
    model: str | None,
    epochs: Epochs,
    as_json: bool,
    table: Path | None,
    repaired: Path | None,
    read_as: str | None,
    redacted: Path | None,
    halves: tuple[Path, Path] | None,
    overlap_ok: bool,
) -> None:
    """Check a training file: every problem at once, with its lines and a fix.

    Nothing leaves this machine. Exits 0 when the file can be trained on, 1 when not. With --repair it is
    the repaired copy that is checked (and redacted, and split); lines are always those of FILE.
    """
    if read_as and repaired is None:
        raise click.UsageError("--read-as says how --repair OUT reads the file; name OUT too")
    base = base_info(model) if model else None
    console = Console()
    with _progress(file, quiet=as_json) as progress:
        made = derive(file, repaired, redacted, halves, read_as)
        checked = made.repaired or file
        report = check_file(checked, method=method, base=base, epochs=epochs, progress=progress)
        report = examine(checked, report, progress=progress)
        if base is not None and report.cost is not None:
            report = dataclasses.replace(report, cost=estimate(report, base, epochs))
        held_out = _check_validation(validation, checked, report, base) if validation is not None else None
    if held_out is not None and made.lines is not None:
        held_out = made.lines.there(held_out)
    report = dataclasses.replace(made.lines.report(report) if made.lines else report, file=file.name)
    if held_out is not None and overlap_ok:
        held_out = _allowed(held_out, made)
    if held_out is not None and held_out.verdict == "reject":
        report = _with_rejected(report, held_out)
    if table is not None:
        if made.lines is None:
            write_csv_report(table, report, file, method=method, base=base)
        else:
            write_csv_report(table, report, made.repaired, lines=made.lines, method=method, base=base)
    if as_json:
        click.echo(json.dumps({**_as_object(report, held_out), **made.facts}, ensure_ascii=False, indent=2))
    else:
        for words in made.words:
            console.print(escape(words), soft_wrap=True)
        print_report(console, report, held_out, base)
    ctx.exit(0 if report.verdict == "accept" else 1)


def _check_validation(path: Path, training: Path, report: Report, base: BaseInfo | None) -> Report:
    held_out = check_file(path, method=report.method, base=base, validation=True, against=training)
    return examine(path, held_out, against=training)


def _allowed(held_out: Report, made: Made) -> Report:
    """The report on the validation file with its overlap let stand, by name."""
    found = sum(problem.count for problem in held_out.problems if problem.code in OVERLAPS)
    if found:
        name = getpass.getuser()
        made.facts["overlap"] = {"rows": found, "allowed_by": name}
        made.words.append(f"{found:,} validation rows may stand in both files: allowed by {name}.")
    return allow_overlap(held_out)


@contextmanager
def _progress(file: Path, quiet: bool) -> Generator[Callable[[int, int], object] | None]:
    """A bar on standard error for files that take a while, when a person looks on."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal or file.stat().st_size < _LARGE:
        yield None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(f"Checking {escape(file.name)}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _with_rejected(report: Report, held_out: Report) -> Report:
    """The verdict covers both files; the problems of the second stand in its own report."""
    worst = held_out.errors[0]
    problem = Problem(
        "error",
        "validation_rejected",
        sum(p.count for p in held_out.errors),
        (),
        f"The validation file {held_out.file} is not ready: {worst.message}",
        worst.fix,
    )
    return dataclasses.replace(report, verdict="reject", problems=(problem, *report.problems))


def _as_object(report: Report, held_out: Report | None) -> dict[str, Any]:
    promised = report.to_json()
    return promised if held_out is None else {**promised, "validation": held_out.to_json()}

"""``ftbot check``: the dataset check alone, on a terminal or as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from bot.derive import derive
from tuning.datasets import (
    BaseInfo,
    Problem,
    Report,
    base_info,
    check_file,
    estimate,
    examine,
    write_csv_report,
)

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_OUT = click.Path(dir_okay=False, writable=True, path_type=Path)
_SHOWN_LINES = 6
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
@click.option("--redact", "redacted", type=_OUT, metavar="OUT", help="Write a copy without private values.")
@click.option(
    "--split",
    "halves",
    type=_OUT,
    nargs=2,
    metavar="TRAIN VALID",
    help="Write two files, a tenth held out for validation; like rows stay together.",
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
    redacted: Path | None,
    halves: tuple[Path, Path] | None,
) -> None:
    """Check a training file: every problem at once, with its lines and a fix.

    Nothing leaves this machine. Exits 0 when the file can be trained on, 1 when not. With --repair it is
    the repaired copy that is checked (and redacted, and split); lines are always those of FILE.
    """
    base = base_info(model) if model else None
    console = Console()
    with _progress(file, quiet=as_json) as progress:
        made = derive(file, repaired, redacted, halves)
        checked = made.repaired or file
        report = check_file(checked, method=method, base=base, epochs=epochs, progress=progress)
        report = examine(checked, report, progress=progress)
        if base is not None and report.cost is not None:
            report = dataclasses.replace(report, cost=estimate(report, base, epochs))
        held_out = _check_validation(validation, checked, report, base) if validation is not None else None
    report = dataclasses.replace(made.lines.report(report) if made.lines else report, file=file.name)
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
        _print(console, report, held_out, base)
    ctx.exit(0 if report.verdict == "accept" else 1)


def _check_validation(path: Path, training: Path, report: Report, base: BaseInfo | None) -> Report:
    held_out = check_file(path, method=report.method, base=base, validation=True, against=training)
    return examine(path, held_out, against=training)


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


# --- the terminal ---------------------------------------------------------------------------------
def _print(console: Console, report: Report, held_out: Report | None, base: BaseInfo | None) -> None:
    _print_one(console, report)
    if held_out is not None:
        console.print()
        _print_one(console, held_out)
    elif report.verdict == "accept":
        console.print("[dim]No validation file given: overfitting could not be seen.[/]")
    if held_out is None and report.method == "reinforcement":
        console.print("Reinforcement training needs a validation file with the same columns.")
    if report.needs_decision:
        console.print(
            f"[bold]To decide before it leaves:[/] {_held(report)} → --redact OUT writes a copy without."
        )
    for note in report.notes:
        console.print(f"[dim]{escape(note)}.[/]")
    if report.cost is not None and report.verdict == "accept":
        console.print(_cost_line(report, base), soft_wrap=True)


def _print_one(console: Console, report: Report) -> None:
    console.print(_headline(report), soft_wrap=True)
    if report.problems:
        console.print(_problem_table(report))
    console.print(_size_line(report), style="dim", soft_wrap=True)


def _headline(report: Report) -> str:
    name = escape(report.file)
    if report.verdict == "accept":
        return f"[bold green]✓ Ready to train[/] · {name} · {report.examples:,} examples"
    if not report.bad_rows:
        return f"[bold red]✗ Not ready[/] · {name}"
    work = "rows needs" if report.bad_rows == 1 else "rows need"
    return f"[bold red]✗ Not ready[/] · {name} · {report.bad_rows:,} of {report.rows:,} {work} work"


def _problem_table(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=3)
    table.add_column(ratio=1)
    table.add_column(ratio=2)
    for problem in report.problems:
        mark = "[red]error[/]" if problem.severity == "error" else "[yellow]note[/]"
        table.add_row(mark, escape(problem.message), lines_text(problem), f"[dim]→ {escape(problem.fix)}[/]")
    return table


def lines_text(problem: Problem) -> str:
    """The first lines of a problem: ``lines 3, 7, 9 +14``; empty for the whole file."""
    if not problem.lines:
        return ""
    first = ", ".join(f"{line:,}" for line in problem.lines[:_SHOWN_LINES])
    more = problem.count - min(len(problem.lines), _SHOWN_LINES)
    return f"{'line' if problem.count == 1 else 'lines'} {first}" + (f" +{more:,}" if more else "")


_CLASSES = {
    "secret": ("secret", "secrets"),
    "payment_card": ("payment card number", "payment card numbers"),
    "national_id": ("national id number", "national id numbers"),
}


def _held(report: Report) -> str:
    """What a person must decide on: ``2 secrets (lines 3, 7)``."""
    parts: list[str] = []
    for code, words in _CLASSES.items():
        if found := report.privacy.get(code):
            lines = ", ".join(f"{line:,}" for line in found.lines[:_SHOWN_LINES])
            more = "…" if len(found.lines) > _SHOWN_LINES else ""
            where = "line" if len(found.lines) == 1 else "lines"
            parts.append(f"{found.count:,} {words[found.count != 1]} ({where} {lines}{more})")
    return " · ".join(parts)


def _size_line(report: Report) -> str:
    parts = [f"Read as {report.method}" if report.method else "Read as no known format"]
    if tokens := report.tokens:
        about = "" if tokens.exact else "about "
        limit = f" of {tokens.limit:,}" if tokens.limit else ""
        parts.append(
            f"{about}{tokens.total:,} tokens (median {tokens.median:,}, longest {tokens.max:,}{limit})"
        )
    return " · ".join([*parts, "checked on this machine"])


def _cost_line(report: Report, base: BaseInfo | None) -> str:
    cost = report.cost
    assert cost is not None
    plural = "" if cost.epochs == 1 else "s"
    epochs = f"{cost.epochs} epoch{plural}{' (auto)' if cost.epochs_auto else ''}"
    if base is None:
        return f"[dim]{epochs}, {cost.billed_tokens:,} tokens to train on; --model gives a price.[/]"
    usd = f"about [bold]${cost.usd:,.2f}[/]" if cost.usd is not None else escape(cost.note)
    dated = f" · prices of {cost.priced_on}" if cost.priced_on else ""
    serving = cost.serving_usd_per_1k
    answers = f" · 1,000 answers then about ${serving:,.2f}" if serving is not None else ""
    return f"{escape(base.model)}: {usd} · {epochs} · {cost.billed_tokens:,} tokens{answers}{dated}"

"""A report of the dataset check as a person reads it on a terminal: the verdict first, one idea a line."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from tuning.datasets import HOLD, RECOGNISED, BaseInfo, Problem, Report, repairable

SHOWN_LINES = 6
_CLASSES = {
    "secret": ("secret", "secrets"),
    "payment_card": ("payment card number", "payment card numbers"),
    "national_id": ("national id number", "national id numbers"),
}
_MARKS = {"error": "[bold red]✗[/]", "warning": "[yellow]![/]"}


def print_report(console: Console, report: Report, held_out: Report | None, base: BaseInfo | None) -> None:
    """One report, and that of its validation file, if there is one."""
    _print_one(console, report)
    if held_out is not None:
        console.print()
        _print_one(console, held_out, "Ready to validate")
    _print_next(console, report, held_out)
    if report.cost is not None and report.verdict == "accept":
        console.print(_cost_line(report, base), soft_wrap=True)


def _print_one(console: Console, report: Report, ready: str = "Ready to train") -> None:
    console.print(_headline(report, ready), soft_wrap=True)
    for problem in (*report.errors, *report.warnings):
        if problem.code not in HOLD:
            _print_problem(console, problem)
    if report.needs_decision:
        words = f"[bold]To decide before it leaves:[/] {_held(report)}"
        _print_item(console, "[bold yellow]?[/]", words, "--redact OUT writes a copy without")
    for note in report.notes:
        console.print(f"  [dim]· {escape(note)}[/]")
    console.print(f"  {_size_line(report)}", style="dim", soft_wrap=True)
    if len(report.prompts) > 1:
        console.print(f"  {_prompts_line(report)}", style="dim", soft_wrap=True)


def _headline(report: Report, ready: str) -> str:
    name = escape(report.file)
    if report.verdict == "accept":
        examples = "1 example" if report.examples == 1 else f"{report.examples:,} examples"
        return f"[bold green]✓ {ready}[/] · {name} · {examples}"
    if not report.bad_rows:
        return f"[bold red]✗ Not ready[/] · {name}"
    work = "rows needs" if report.bad_rows == 1 else "rows need"
    return f"[bold red]✗ Not ready[/] · {name} · {report.bad_rows:,} of {report.rows:,} {work} work"


def _print_problem(console: Console, problem: Problem) -> None:
    """What and where, and under it what to do; long words hang under the first."""
    where = lines_text(problem)
    if problem.count == 1 and f"({where}," in problem.message:
        where = ""
    words = escape(problem.message) + (f" [dim]·[/] {where}" if where else "")
    _print_item(console, _MARKS[problem.severity], words, problem.fix)


def _print_item(console: Console, mark: str, words: str, fix: str) -> None:
    console.print(f"  {mark} ", end="")
    width = max(console.width - 4, 30)
    first, *rest = console.render_str(words).wrap(console, width)
    first.rstrip()
    console.print(first, soft_wrap=True)
    for line in [*rest, *console.render_str(f"[dim]→ {escape(fix)}[/]").wrap(console, width)]:
        line.rstrip()
        console.print(Text("    ").append_text(line), soft_wrap=True)


def lines_text(problem: Problem) -> str:
    """The first lines of a problem: ``lines 3, 7, 9 +14``; empty for the whole file."""
    if not problem.lines:
        return ""
    first = ", ".join(f"{line:,}" for line in problem.lines[:SHOWN_LINES])
    more = problem.count - min(len(problem.lines), SHOWN_LINES)
    return f"{'line' if problem.count == 1 else 'lines'} {first}" + (f" +{more:,}" if more > 0 else "")


def _held(report: Report) -> str:
    """What a person must decide on: ``2 secrets (lines 3, 7)``."""
    parts: list[str] = []
    for code, words in _CLASSES.items():
        if found := report.privacy.get(code):
            lines = ", ".join(f"{line:,}" for line in found.lines[:SHOWN_LINES])
            more = "…" if len(found.lines) > SHOWN_LINES else ""
            where = "line" if len(found.lines) == 1 else "lines"
            parts.append(f"{found.count:,} {words[found.count != 1]} ({where} {lines}{more})")
    return " · ".join(parts)


def _size_line(report: Report) -> str:
    parts = [f"Read as {report.method}" if report.method else "Read as no known format"]
    if tokens := report.tokens:
        about = "" if tokens.exact else "about "
        limit = f" of {tokens.limit:,}" if tokens.limit else ""
        spread = f"median {tokens.median:,}, 95 % up to {tokens.p95:,}, longest {tokens.max:,}{limit}"
        parts.append(f"{about}{tokens.total:,} tokens ({spread})")
    return " · ".join([*parts, "checked on this machine"])


def _prompts_line(report: Report) -> str:
    """How many rows share a system prompt: ``3 system prompts, `You sort mail` in 80 %, none in 20 %``."""
    common = next((one for one in report.prompts if one.text), None)
    none = next((one for one in report.prompts if not one.text), None)
    count = "1 system prompt" if report.multi_system == 1 else f"{report.multi_system:,} system prompts"
    parts = [count]
    if common is not None:
        parts.append(f"{escape(common.text)} in {common.share:.0%} of the rows")
    if none is not None:
        parts.append(f"none in {none.share:.0%}")
    return ", ".join(parts)


def _print_next(console: Console, report: Report, held_out: Report | None) -> None:
    """What can be done now."""
    foreign = any(problem.code in RECOGNISED for problem in report.errors)
    if fixable := repairable(report):
        what = f"{fixable:,} of {max(report.bad_rows, fixable):,}" if report.bad_rows else "this"
        console.print(f"[bold]→[/] --repair OUT puts {what} right in a copy")
    elif foreign:
        console.print("[bold]→[/] --repair OUT --read-as FORMAT makes a copy in the right format")
    if report.method == "supervised" and any(problem.code == "unknown_key" for problem in report.errors):
        console.print("[bold]→[/] --repair OUT --read-as chat leaves fields out that chat does not take")
    if held_out is None and report.method == "reinforcement":
        console.print("[bold]→[/] Reinforcement training needs a validation file with the same columns.")
    elif held_out is None and report.verdict == "accept":
        console.print("[dim]No validation file given: overfitting could not be seen (--split makes one).[/]")


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

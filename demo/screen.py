"""What the demo prints: the threads as they grow, a bar while the model trains, the summary."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo.person import words
from demo.summary import Summary


class Screen:
    """Prints with rich; plain lines where the output is no terminal."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=False)
        self._seen: set[tuple[str, str]] = set()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def address(self, url: str) -> None:
        """The page's address, the first line printed."""
        self.console.print(url, style="bold")

    def stage(self, title: str) -> None:
        """A new stage begins."""
        self.console.rule(f"[bold]{escape(title)}", align="left", style="dim")

    def did(self, text: str) -> None:
        """Something the person did."""
        self.console.print(f"[cyan]jin[/] {escape(text)}")

    def note(self, text: str) -> None:
        """A remark of the demo itself."""
        self.console.print(escape(text), style="dim")

    def bad(self, text: str) -> None:
        """What went wrong."""
        self.console.print(escape(text), style="bold red")

    def thread(self, channel: str, messages: list[dict[str, Any]]) -> None:
        """Prints the messages of a thread that were not printed before; a root only once."""
        for message in messages:
            key = (channel, str(message["ts"]))
            if key in self._seen or message.get("streaming") or "bot_id" not in message:
                continue
            self._seen.add(key)
            self.message(message)

    def message(self, message: dict[str, Any]) -> None:
        """Prints one message of the bot as a person reads it."""
        lines = [line for line in words(message).splitlines() if line.strip()]
        for number, line in enumerate(lines):
            who = "[green]ftbot[/]" if number == 0 else "     "
            self.console.print(f"{who} {escape(line)}")

    def training(self, percent: float, text: str) -> None:
        """Moves the bar."""
        if self._progress is None:
            self._progress = Progress(
                TextColumn("      {task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(text, total=100)
        assert self._task is not None
        self._progress.update(self._task, completed=percent, description=escape(text))

    def training_over(self) -> None:
        """Takes the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def summary(self, summary: Summary) -> None:
        """The end: what was measured, and how long each stage took."""
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold")
        table.add_column()
        for name, value in summary.rows():
            table.add_row(name, escape(value))
        self.console.rule("[bold]Summary", align="left", style="dim")
        self.console.print(table)

"""The command line ``ftbot``: exit 0 success or accept, 1 a clear failure or reject, 2 wrong usage."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from bot.check import check
from bot.errors import BotError
from bot.setup import setup
from storage.errors import StoreError
from tuning.errors import TuningError

PASS_ON: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": []}


@click.group()
@click.version_option(package_name="ftbot")
def main() -> None:
    """The whole life of a fine-tuned model in a Slack thread."""


main.add_command(check)
main.add_command(setup)


@main.command()
def run() -> None:
    """The bot against Slack and the configured providers (settings from the environment or .env)."""
    import asyncio

    from bot.app import serve
    from bot.logs import configure
    from bot.manifest import remember_first
    from bot.settings import load

    os.umask(0o077)  # whatever is written in the data folder, and for a moment elsewhere, is ours alone
    try:
        settings = load()
        configure(settings.ftbot_log_level)
        remember_first(settings.ftbot_data, settings.ftbot_command)
        asyncio.run(serve(settings))
    except (BotError, StoreError, TuningError) as problem:
        _fail(problem)


@main.command()
@click.option("--pasted", is_flag=True, help="This version's manifest was pasted into the app's settings.")
def doctor(pasted: bool) -> None:
    """Checks tokens, scopes, manifest, model access, store and clock, and says for each what to do."""
    import asyncio

    from bot.doctor import examine

    sys.exit(0 if asyncio.run(examine(click.echo, pasted=pasted)) else 1)


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def backup(file: Path) -> None:
    """Copies the database to FILE while ftbot runs; the copy is checked before it takes its name."""
    from bot.backup import backup as copy
    from bot.settings import load

    try:
        count = copy(load().database, file)
    except BotError as problem:
        _fail(problem)
    else:
        click.echo(
            f"{file}: {count:,} bytes, checked. To restore, stop ftbot and put it in place of ftbot.db."
        )


@main.command()
@click.option("--command", "name", default="/ft", help="The slash command to register.", show_default=True)
def manifest(name: str) -> None:
    """The Slack manifest for this installation, as YAML."""
    from bot.manifest import manifest_text

    try:
        click.echo(manifest_text(name))
    except BotError as problem:
        raise click.BadParameter(str(problem), param_hint="--command") from problem


@main.command(context_settings=PASS_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """The main job in one go, with nothing to sign up for."""
    _become("demo", arguments)


@main.command(context_settings=PASS_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def trainserver(arguments: tuple[str, ...]) -> None:
    """The self-hosted fine-tuning server."""
    _become("trainserver", arguments)


@main.command(context_settings=PASS_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def localslack(arguments: tuple[str, ...]) -> None:
    """The local Slack-compatible workspace, for trying and testing."""
    _become("localslack", arguments)


def _become(program: str, arguments: tuple[str, ...]) -> None:
    """Replaces this process by a side program, which is one of its own."""
    command = [sys.executable, "-m", program, *arguments]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(sys.executable, command)  # noqa: S606  (our own program, no shell)
    sys.exit(subprocess.call(command))


def _fail(problem: Exception) -> None:
    click.echo(f"ftbot: {problem}", err=True)
    sys.exit(getattr(problem, "exit_code", 1))

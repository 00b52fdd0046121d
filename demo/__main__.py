"""``ftbot demo``: the main job in one go, with nothing to sign up for."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from demo.data import Files, prepare
from demo.errors import DemoError
from demo.person import Person
from demo.programs import Programs
from demo.provider import ProviderTruth
from demo.screen import Screen
from demo.stages import Stages
from demo.summary import Summary

CHANNEL = "tuning"
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--data", type=EXISTING, help="Train on your own JSONL file instead of the example.")
@click.option("--validation", type=EXISTING, help="Your validation file; without it a fifth is held out.")
@click.option(
    "--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write the summary here."
)
@click.option("--open", "stay", is_flag=True, help="Leave everything running at the end.")
@click.option("--manual", is_flag=True, help="Start everything and leave the driving to you.")
def main(data: Path | None, validation: Path | None, out: Path | None, stay: bool, manual: bool) -> None:
    """The main job in one go: a workspace, a training server and the bot, all on this machine."""
    screen = Screen()
    folder = Path(tempfile.mkdtemp(prefix="ftbot-demo-"))
    try:
        files = prepare(data, validation, folder)
        code = asyncio.run(_run(screen, folder, files, out, stay=stay, manual=manual))
    except DemoError as problem:
        screen.bad(str(problem))
        code = problem.exit_code
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


async def _run(
    screen: Screen, folder: Path, files: Files, out: Path | None, *, stay: bool, manual: bool
) -> int:
    programs = Programs(folder)
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    play = asyncio.create_task(_play(screen, programs, files, out, manual=manual))
    stop = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({play, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not play.done():
            play.cancel()
            await asyncio.gather(play, return_exceptions=True)
            screen.note("Stopped.")
            return 130
        code = play.result()
        if (stay or manual) and code == 0:
            screen.note("Everything is still running; press Ctrl-C to stop it.")
            await interrupted.wait()
        return code
    finally:
        stop.cancel()
        await programs.stop()


async def _play(screen: Screen, programs: Programs, files: Files, out: Path | None, *, manual: bool) -> int:
    begun = time.monotonic()
    summary = Summary()
    stage = "start"
    try:
        await _start(screen, programs, summary)
        if manual:
            return 0
        person = Person(programs.running["localslack"].url, "jin", programs.check)
        truth = ProviderTruth(programs.running["trainserver"].url, programs.api_key)
        try:
            channel = await person.channel(CHANNEL)
            stages = Stages(person, truth, screen, files, channel, summary)
            await stages.run()
        finally:
            await person.close()
            await truth.close()
    except DemoError as problem:
        stage = f"after {list(summary.stages)[-1]}" if summary.stages else "at the start"
        _report(screen, programs, problem, stage)
        return problem.exit_code
    finally:
        summary.seconds = time.monotonic() - begun
        if out is not None:
            out.write_text(json.dumps(summary.to_json(), indent=2) + "\n", "utf-8")
    screen.summary(summary)
    for shortfall in summary.shortfalls():
        screen.bad(f"Not as it should be: {shortfall}.")
    return 1 if summary.shortfalls() else 0


async def _start(screen: Screen, programs: Programs, summary: Summary) -> None:
    begun = time.monotonic()
    workspace = await programs.start_localslack()
    screen.address(workspace.url)
    screen.note("A workspace on this machine; open the address to watch. Starting the trainer and the bot …")
    await programs.start_trainserver()
    await programs.start_bot()
    summary.stages["programs"] = time.monotonic() - begun


def _report(screen: Screen, programs: Programs, problem: DemoError, stage: str) -> None:
    screen.bad(f"The demo failed {stage}: {problem}")
    program = programs.running.get(problem.program or "")
    if program is not None:
        screen.note(f"The last lines of {program.name}:")
        for line in program.last_lines():
            screen.note(f"  {line}")


if __name__ == "__main__":
    main(prog_name="ftbot demo")

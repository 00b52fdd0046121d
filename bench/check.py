"""How fast the dataset check is, beside together's check and beside json.loads with tiktoken.

Prints three figures from one run on a synthetic chat file: (1) rules, encoding and exact duplicates;
(2) with exact tokens; (3) near duplicates and privacy. Each program runs in a process of its own, in
turns, and the median counts. The time to start a process is nobody's; what a check itself starts or
loads is part of its time.

``--growth`` prints what our own check costs on 60, 200 and 1,000 MB instead. Both print tables for
``docs/explanation/check-speed.md``.

The others get an environment of their own in the cache folder, made with pip; where that fails, the
figures say so. Options: ``--smoke`` (2 MB, one turn), ``--size MB``, ``--turns N``.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.memory import MemoryOf

ROOT = Path(__file__).parents[1]
SUPPORT = ROOT / "bench" / "support"
PACKAGES = ("together==1.5.35", "tiktoken==0.14.0", "bpe-openai==0.1.4")
O200K_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"
"""What tiktoken calls o200k_base in its cache: the SHA-1 of where it would load it from."""
PARTS = ("rules", "tokens", "examine")
RULES, TOKENS = "(1) rules, encoding, exact duplicates", "(2) with exact tokens"
EXAMINE = "(3) near duplicates and privacy"
ENOUGH = 20
"""Megabytes from which on the ratios say something; below, loading and starting is all there is."""


@dataclass
class Timed:
    """Seconds and CPU seconds of each turn; ``tokens`` and ``megabytes`` of the last one."""

    seconds: list[float] = field(default_factory=list[float])
    work: list[float] = field(default_factory=list[float])
    tokens: int = 0
    megabytes: float = 0.0

    def run(self, command: list[str], env: dict[str, str], watch: bool = False) -> None:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT
        ) as process:
            memory = MemoryOf(process.pid, every=0.05)
            if watch:
                memory.start()
            out, errors = process.communicate()
            if watch:
                self.megabytes = memory.stop() / 1e6
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{errors}")
        seconds, work, *more = out.splitlines()[-1].split()
        self.seconds.append(float(seconds))
        self.work.append(float(work))
        self.tokens = int(more[0]) if more else 0

    def median(self) -> float:
        return statistics.median(self.seconds)

    def words(self, size: float) -> str:
        """Time, speed and CPU time."""
        return f"{self.median():.2f} s, {size / self.median():.0f} MB/s, CPU {min(self.work):.2f} s"


def environment(cache: Path) -> Path | None:
    """The interpreter of the environment the others run in; made on first use, None where it cannot be."""
    folder = cache / "check-rivals"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    ready = folder / "ready"
    if ready.exists() and ready.read_text() == " ".join(PACKAGES):
        return python
    print(f"making an environment for {', '.join(PACKAGES)} …", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
    done = subprocess.run(pip, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print(f"not available: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}")
        return None
    find = "import bpe_openai, pathlib; print(pathlib.Path(bpe_openai.__file__).parent / 'data')"
    data = subprocess.run(
        [str(python), "-c", find], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    vocabulary = folder / "tiktoken"
    vocabulary.mkdir()
    (vocabulary / O200K_NAME).write_bytes(gzip.decompress(Path(data, "o200k_base.tiktoken.gz").read_bytes()))
    ready.write_text(" ".join(PACKAGES))
    return python


def cache_folder() -> Path:
    """Where the environment is kept: the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ftbot-bench"


def own_commands(path: Path) -> dict[str, list[str]]:
    ours = [sys.executable, "-m", "bench.support.ours"]
    return {part: [*ours, part, str(path)] for part in PARTS}


def measure(path: Path, turns: int) -> dict[str, Timed]:
    rivals = environment(cache_folder())
    env = dict(os.environ)
    commands = own_commands(path)
    if rivals is not None:
        commands["together"] = [str(rivals), str(SUPPORT / "together_check.py"), str(path)]
        commands["naive"] = [str(rivals), str(SUPPORT / "naive.py"), str(path)]
        env["TIKTOKEN_CACHE_DIR"] = str(rivals.parents[1] / "tiktoken")
    timed = {name: Timed() for name in commands}
    for turn in range(turns):
        for name in ("rules", "together", "tokens", "naive", "examine"):
            if name in commands and (turn == 0 or name != "examine"):
                timed[name].run(commands[name], env)
    for part in ("tokens", "examine"):  # in runs of their own: watching takes time
        timed[f"{part} memory"] = Timed()
        timed[f"{part} memory"].run(commands[part], env, watch=True)
    return timed


def row(
    name: str, own: Timed, size: float, other: str = "", theirs: Timed | None = None, target: int = 0
) -> str:
    """A line of the table; without ``theirs`` it says why there is nothing to compare with."""
    if theirs is None:
        beside = f"{other}: not available" if other else ""
        return f"| {name} | {own.words(size)} | {beside} | | |"
    ratio = theirs.median() / own.median()
    verdict = f"{target}, {'reached' if ratio >= target else '**not reached**'}" if size >= ENOUGH else ""
    return f"| {name} | {own.words(size)} | {other}: {theirs.words(size)} | {ratio:.1f} times | {verdict} |"


def compare(size: float, turns: int) -> None:
    """Our check beside the two others, as a table."""
    with tempfile.TemporaryDirectory() as folder:
        path, size = synthetic(Path(folder), size)
        print(f"{machine()}, {size:.0f} MB, {turns} turns\n", flush=True)
        timed = measure(path, turns)
    get = timed.get
    print("| | ours | beside it | as fast | target |\n| --- | --- | --- | --- | --- |")
    print(row(RULES, timed["rules"], size, "together", get("together"), 3))
    print(row(TOKENS, timed["tokens"], size, "json.loads and tiktoken", get("naive"), 10))
    print(row(EXAMINE, timed["examine"], size))
    most = [round(timed[f"{part} memory"].megabytes) for part in ("tokens", "examine")]
    print(f"\nmost memory, all processes together: {most[0]} MB for (1) and (2), {most[1]} MB for (3)")
    naive = get("naive")
    if naive is not None:
        same = "the same" if naive.tokens == timed["tokens"].tokens else "DIFFERENT"
        print(f"tokens counted: {timed['tokens'].tokens:,}, {same} as tiktoken's")


def grow(sizes: tuple[float, ...]) -> None:
    """CPU time and memory of our check on files of several sizes, as a table."""
    print(f"{machine()}\n\n| | (1) CPU | (2) CPU | (2) memory | (3) CPU | (3) memory |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for wanted in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path, size = synthetic(Path(folder), wanted)
            timed = {part: Timed() for part in PARTS}
            for part, command in own_commands(path).items():
                timed[part].run(command, dict(os.environ), watch=True)
        cells = [f"{timed['rules'].work[0]:.2f} s"]
        for part in PARTS[1:]:
            cells += [f"{timed[part].work[0]:.2f} s", f"{timed[part].megabytes:.0f} MB"]
        print(f"| {size:,.0f} MB | {' | '.join(cells)} |", flush=True)


def synthetic(folder: Path, size: float) -> tuple[Path, float]:
    """A file of ``size`` megabytes, and how many it has got."""
    path = folder / "chats.jsonl"
    subprocess.run([sys.executable, str(SUPPORT / "chats.py"), str(path), str(size)], check=True)
    return path, path.stat().st_size / 1e6


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="2 MB, one turn: only has to run through")
    parser.add_argument("--size", type=float, default=200.0, help="megabytes of the file (200)")
    parser.add_argument("--turns", type=int, default=3, help="how often each program runs (3)")
    parser.add_argument("--growth", action="store_true", help="our check alone, on 60, 200 and 1,000 MB")
    options = parser.parse_args()
    if options.growth:
        grow((2.0,) if options.smoke else (60.0, 200.0, 1000.0))
    else:
        compare(*((2.0, 1) if options.smoke else (options.size, options.turns)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

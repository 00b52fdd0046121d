"""How fast the dataset check is, beside together's check and beside json.loads with tiktoken.

Prints three figures from one run on a synthetic chat file: (1) rules, encoding and exact duplicates;
(2) with exact tokens; (3) near duplicates and privacy. Each program runs in a process of its own, in
turns, and the median counts. The time to start a process is nobody's; what a check itself starts or
loads is part of its time.

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

HERE = Path(__file__).parent
SUPPORT = HERE / "support"
PACKAGES = ("together==1.5.35", "tiktoken==0.14.0", "bpe-openai==0.1.4")
O200K_NAME = "fb374d419588a4632f3f557e76b4b70aebbca790"
"""What tiktoken calls o200k_base in its cache: the SHA-1 of where it would load it from."""
ENOUGH = 20
"""Megabytes from which on the ratios say something; below, loading and starting is all there is."""


@dataclass
class Timed:
    """Seconds and CPU seconds of each turn; ``tokens`` and ``megabytes`` of the last one."""

    seconds: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    tokens: int = 0
    megabytes: float = 0.0

    def run(self, command: list[str], env: dict[str, str]) -> None:
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            env=env,
            cwd=HERE.parent,
        )
        seconds, work, *more = done.stdout.splitlines()[-1].split()
        self.seconds.append(float(seconds))
        self.work.append(float(work))
        self.tokens = int(more[0]) if more else 0
        self.megabytes = float(more[1]) if len(more) > 1 else 0.0

    def median(self) -> float:
        return statistics.median(self.seconds)


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


def measure(path: Path, turns: int) -> dict[str, Timed]:
    rivals = environment(cache_folder())
    ours = [sys.executable, str(SUPPORT / "ours.py")]
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    commands = {part: [*ours, part, str(path)] for part in ("rules", "tokens", "examine")}
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
        timed[f"{part} memory"].run([*commands[part], "memory"], env)
    return timed


def line(name: str, timed: Timed, size: float, beside: tuple[str, Timed | None, float] | None) -> str:
    own = (
        f"{name:<44} {timed.median():7.2f} s {size / timed.median():7.0f} MB/s   CPU {min(timed.work):.2f} s"
    )
    if beside is None:
        return own
    other, theirs, target = beside
    if theirs is None:
        return f"{own}   {other}: not available"
    ratio = theirs.median() / timed.median()
    words = "reached" if ratio >= target else "not reached"
    speed = f"{size / theirs.median():.0f} MB/s"
    words = f" (target {target:g}: {words})" if size >= ENOUGH else ""
    theirs_in_words = f"{other} {theirs.median():.2f} s, {speed}, CPU {min(theirs.work):.2f} s"
    return f"{own}   {theirs_in_words}: {ratio:.1f} times as fast{words}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="2 MB, one turn: only has to run through")
    parser.add_argument("--size", type=float, default=200.0, help="megabytes of the file (200)")
    parser.add_argument("--turns", type=int, default=3, help="how often each program runs (3)")
    options = parser.parse_args()
    size, turns = (2.0, 1) if options.smoke else (options.size, options.turns)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.jsonl"
        subprocess.run([sys.executable, str(SUPPORT / "chats.py"), str(path), str(size)], check=True)
        size = path.stat().st_size / 1e6
        print(
            f"{size:.0f} MB, {turns} turns, {os.cpu_count()} cores, Python {platform.python_version()}",
            flush=True,
        )
        timed = measure(path, turns)
    get = timed.get
    print(
        line("(1) rules, encoding, exact duplicates", timed["rules"], size, ("together", get("together"), 3))
    )
    print(line("(2) with exact tokens", timed["tokens"], size, ("json.loads + tiktoken", get("naive"), 10)))
    print(line("(3) near duplicates and privacy", timed["examine"], size, None))
    most = [round(timed[f"{part} memory"].megabytes) for part in ("tokens", "examine")]
    print(f"most memory, all processes together: {most[0]} MB for (1) and (2), {most[1]} MB for (3)")
    naive = get("naive")
    if naive is not None:
        same = "the same" if naive.tokens == timed["tokens"].tokens else "DIFFERENT"
        print(f"tokens counted: {timed['tokens'].tokens:,}, {same} as tiktoken's")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Several processes say what one says."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuning.datasets import base_info, check_file
from tuning.datasets.checking import Pace
from tuning.datasets.crew import Crew
from tuning.datasets.lines import parts
from tuning.datasets.scanning import Plan, job
from tuning.datasets.worker import Worker

ODD = (
    b"", b"   ", b"oops", b"[1]", b"// note", b"\xff", b'{"messages": []}', b'{"messages": 1}', b"{'a': 1}",
    b'{"messages": [{"role": "user", "content": "a", "content": "b"}, {"role": "assistant"}]}',
    b'{"instruction": "a", "output": "b"}', b'{"prompt": "a", "completion": "b"}',
    b'{"messages": [{"role": "user", "content": "\\u2028"}, {"role": "tool", "content": "<|endoftext|>"}]}',
)  # fmt: skip


def any_file(seed: int, chat: Callable[..., Any]) -> bytes:
    """Lines of all kinds with endings of all kinds; some twice, some long."""
    rng = random.Random(seed)
    lines: list[bytes] = []
    for _ in range(rng.randrange(5, 90)):
        kind = rng.random()
        if kind < 0.2:
            lines.append(rng.choice(ODD))
        elif kind < 0.3 and lines:
            lines.append(rng.choice(lines))
        else:
            row = chat("wörd " * rng.choice((1, 3, 400)) + str(rng.randrange(40)), "reply\n한국어")
            if rng.random() < 0.5:
                row["messages"].insert(
                    0, {"role": "system", "content": rng.choice(("Be brief.", "Be kind."))}
                )
            lines.append(json.dumps(row, ensure_ascii=rng.random() < 0.5).encode())
    endings = rng.choice(((b"\n",), (b"\r\n",), (b"\r",), (b"\n", b"\r\n", b"\r")))
    return b"".join(line + rng.choice(endings) for line in lines)


@pytest.mark.parametrize("seed", range(12))
def test_the_report_is_the_same_with_any_number_of_workers_and_any_chunks(
    seed: int, tmp_path: Path, chat: Callable[..., Any]
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(any_file(seed, chat))
    base = base_info("gpt-4.1-mini")
    alone = check_file(path, base=base, pace=Pace(workers=0))
    for workers, chunk in ((0, 61), (1, 300), (3, 1_000)):
        assert check_file(path, base=base, pace=Pace(workers=workers, chunk=chunk)) == alone


@pytest.mark.parametrize("workers", [0, 2])
def test_every_single_finding_is_named_in_the_order_of_the_lines(
    workers: int, tmp_path: Path, chat: Callable[..., Any]
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(any_file(5, chat))
    alone: list[tuple[int, str, str]] = []
    seen: list[tuple[int, str, str]] = []
    check_file(path, sink=lambda *found: alone.append(found), pace=Pace(workers=0))
    check_file(path, sink=lambda *found: seen.append(found), pace=Pace(workers=workers, chunk=200))
    assert seen == alone


def test_progress_is_told_up_to_the_last_byte(tmp_path: Path, good: list[bytes]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(good))
    told: list[tuple[int, int]] = []
    check_file(path, pace=Pace(lambda done, size: told.append((done, size)), workers=1, chunk=500))
    assert told == sorted(told)
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


@pytest.mark.parametrize("tokens", [False, True])
def test_a_check_goes_on_when_its_workers_are_killed(
    tokens: bool, tmp_path: Path, good: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(good))
    alone = check_file(path, pace=Pace(workers=0, tokens=tokens))
    order = Worker.order

    def order_then_kill(worker: Worker[Any], start: int, stop: int) -> None:
        order(worker, start, stop)
        if start > 1_500:
            os.kill(worker.pid, signal.SIGKILL)

    monkeypatch.setattr(Worker, "order", order_then_kill)
    assert check_file(path, pace=Pace(workers=2, chunk=300, tokens=tokens)) == alone


ROOT = Path(__file__).parents[4]
FORKS = """
import sys, threading
from pathlib import Path
from tuning.datasets import check_file
from tuning.datasets.checking import Pace
from tuning.datasets.worker import _may_fork
assert _may_fork() == (sys.platform == "linux"), threading.enumerate()
path = Path(sys.argv[1])
alone = check_file(path, pace=Pace(workers=0))
assert check_file(path, pace=Pace(workers=3, chunk=300)) == alone
"""


def test_forks_of_a_process_with_one_thread_say_the_same(tmp_path: Path, good: list[bytes]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*good, b"oops", good[3]]))
    subprocess.run([sys.executable, "-W", "error", "-c", FORKS, path], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize("threads", [0, 1])
def test_workers_end_with_the_process_that_started_them(
    threads: int, tmp_path: Path, good: list[bytes]
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(good))
    code = (
        "import os, sys, threading, time\n"
        "from tuning.datasets.worker import Worker\n"
        "from tuning.datasets.scanning import Plan, job\n"
        f"for _ in range({threads}): threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "plan = Plan(os.fsencode(sys.argv[1]), 'chat')\n"
        "workers = []\n"
        "for _ in range(2): workers.append(Worker(job(plan), workers))\n"
        "for worker in workers:\n"
        "    worker.order(0, 10)\n"
        "    worker.answer()\n"
        "    print(worker.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(map(_runs, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_scan_that_is_given_up_leaves_no_workers(tmp_path: Path, good: list[bytes]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(good))
    with (
        path.open("rb") as stream,
        Crew(job(Plan(os.fsencode(path), "chat")), parts(stream, size=200), 2) as crew,
    ):
        next(iter(crew))
        workers = [worker.pid for worker in crew._workers]
    assert not any(map(_runs, workers))


def test_a_file_that_changes_meanwhile_is_not_reported_on(tmp_path: Path, good: list[bytes]) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(good))

    def append(_done: int, _size: int) -> None:
        with path.open("ab") as out:
            out.write(b"\n")

    with pytest.raises(OSError, match="changed while it was read"):
        check_file(path, pace=Pace(append))

"""Memory does not grow with a dataset: a million messages in one row, in a million rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.memory import MemoryOf

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

MOST = 600 << 20
"""Bytes for the check, the second look and everything started by them, together."""


def one_row() -> Iterator[bytes]:
    yield b'{"messages": ['
    for number in range(1_000_000):
        role = b"assistant" if number % 2 else b"user"
        yield b'%s{"role": "%s", "content": "message %d"}' % (b", " if number else b"", role, number)
    yield b"]}\n"


def many_rows() -> Iterator[bytes]:
    for number in range(500_000):
        yield (
            b'{"messages": [{"role": "user", "content": "Where is parcel %d?"}, '
            b'{"role": "assistant", "content": "on shelf %d"}]}\n'
        ) % (number, number * 7919 % 1_000_003)


def checked(path: Path) -> tuple[dict[str, Any], int]:
    """The report of ``ftbot check --json``, and the most memory all its processes held together."""
    command = [sys.executable, "-m", "bot", "check", str(path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        memory = MemoryOf(program.pid)
        memory.start()
        out, _ = program.communicate(timeout=800)
        return json.loads(out), memory.stop()


@pytest.mark.parametrize(("rows", "verdict"), [(one_row, "reject"), (many_rows, "accept")])
def test_a_million_messages_are_checked_in_bounded_memory(rows: Any, verdict: str, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("wb") as out:
        out.writelines(rows())
    report, most = checked(path)
    assert report["verdict"] == verdict
    assert most < MOST, f"{most >> 20} MB"
